package emit

import (
	"go/token"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// names holds what the schema does not name: files and package variables.
// Package model has checked that no two exported names meet; these are made
// unique here, in schema order, so that every run chooses the same.
type names struct {
	files map[string]bool
	vars  map[string]bool
	of    map[named]string
}

// A named is a part of the model with the suffix of its variable.
type named struct {
	part   any
	suffix string
}

func newNames(pkg *model.Package) *names {
	n := &names{files: map[string]bool{}, vars: map[string]bool{}, of: map[named]string{}}
	for _, t := range pkg.Tables {
		n.add(t, t.GoName, "Table")
		n.add(t, t.GoName, "Codec")
		for _, c := range t.Collections {
			n.add(c, t.GoName, c.GoName)
		}
	}
	for _, s := range pkg.Series {
		n.add(s, s.GoName, "Series")
		n.add(s, s.GoName, "Codec")
	}
	for _, s := range pkg.Structs {
		n.add(s, s.Name, "Codec")
	}
	return n
}

func (n *names) add(part any, goName, suffix string) {
	n.of[named{part, suffix}] = unique(n.vars, unexported(goName)+suffix, "")
}

func (n *names) table(t *model.Table) string           { return n.of[named{t, "Table"}] }
func (n *names) series(s *model.Series) string         { return n.of[named{s, "Series"}] }
func (n *names) collection(c *model.Collection) string { return n.of[named{c, c.GoName}] }
func (n *names) codec(part any) string                 { return n.of[named{part, "Codec"}] }

// unique returns name+ext, or the first of name2, name3 ... that is not taken.
func unique(taken map[string]bool, name, ext string) string {
	for try, i := name+ext, 2; ; i++ {
		if !taken[try] {
			taken[try] = true
			return try
		}
		try = name + strconv.Itoa(i) + ext
	}
}

// The files that are no table's and no series'.
const (
	enumsFile   = "enums.go"
	structsFile = "structs.go"
	tablesFile  = "tables.go"
)

// otherFiles are the names of these and of files that people write.
var otherFiles = []string{"enums", "structs", "tables", "generate", "doc"}

// file returns the name of the Go file of a table or series: its own name,
// with the suffix where that is another's or means something to the go command.
func (n *names) file(name, suffix string) string {
	i := strings.LastIndexByte(name, '_')
	if i >= 0 && slices.Contains(constraints, name[i+1:]) || slices.Contains(otherFiles, name) {
		name += suffix
	}
	return unique(n.files, name, ".go")
}

// constraints are the endings for which the go command builds a file for tests
// or for some systems or processors only.
var constraints = strings.Fields(`test
	aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd
	openbsd plan9 solaris wasip1 windows zos
	386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le
	mips64p32 mips64p32le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm`)

// unexported returns the unexported form of an exported Go name: positionID of
// PositionID, idMap of IDMap.
func unexported(goName string) string {
	runes := []rune(goName)
	for i, r := range runes {
		if !unicode.IsUpper(r) || i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(r)
	}
	return string(runes)
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
func (n *names) param(goName, other string, taken ...string) string {
	name := unexported(goName)
	if token.IsKeyword(name) || n.vars[name] || slices.Contains(taken, name) {
		return other
	}
	return name
}
