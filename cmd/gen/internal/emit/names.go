package emit

import (
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// This file names what the schema does not. Package model has checked that
// none of the package variables meet.

func codecVar(goName string) string    { return model.Unexported(goName) + "Codec" }
func tableVar(t *model.Table) string   { return model.Unexported(t.GoName) + "Table" }
func seriesVar(s *model.Series) string { return model.Unexported(s.GoName) + "Series" }
func partVar(t *model.Table, c *model.Collection) string {
	return model.Unexported(t.GoName) + c.GoName
}

// The files that are no table's and no series', and those that people write.
const (
	enumsFile   = "enums"
	structsFile = "structs"
	tablesFile  = "tables"
)

var otherFiles = []string{enumsFile, structsFile, tablesFile, "generate", "doc"}

// fileNames hands out the names of Go files, each once.
type fileNames map[string]bool

// take returns the file of a table or series: that of its own name, with the
// suffix where that is another's.
func (taken fileNames) take(name, suffix string) string {
	if slices.Contains(otherFiles, name) {
		name += suffix
	}
	for try, i := name, 2; ; i++ {
		if !taken[try] {
			taken[try] = true
			return try + ".go"
		}
		try = name + strconv.Itoa(i)
	}
}

// receiver returns the letter under which methods and functions know a value
// of the Go type; never one that codecs and repositories use for other things.
func receiver(goName string) string {
	switch letter := strings.ToLower(goName[:1]); letter {
	case "b", "m", "r", "w":
		return "v"
	default:
		return letter
	}
}

// param returns the name of a parameter for a field or collection, or other
// where that name means something else inside of the function.
func param(goName, other string, taken ...string) string {
	name := model.Unexported(goName)
	if token.IsKeyword(name) || slices.Contains(taken, name) {
		return other
	}
	return name
}
