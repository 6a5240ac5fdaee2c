package emit

import (
	"go/token"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// names holds what the emitter names itself: files and package variables. The
// schema's own names were checked for clashes before; these are made unique
// here, in schema order, so that a run always chooses the same.
type names struct {
	files  map[string]bool
	vars   map[string]bool
	tables map[*model.Table]string
	parts  map[*model.Collection]string
	series map[*model.Series]string
	codecs map[any]string
	stored map[*model.Struct]bool
}

func newNames(pkg *model.Package) *names {
	n := &names{
		files:  map[string]bool{},
		vars:   map[string]bool{},
		tables: map[*model.Table]string{},
		parts:  map[*model.Collection]string{},
		series: map[*model.Series]string{},
		codecs: map[any]string{},
		stored: map[*model.Struct]bool{},
	}
	for _, t := range pkg.Tables {
		n.tables[t] = n.variable(lowerCamel(t.GoName) + "Table")
		n.codecs[t] = n.variable(lowerCamel(t.GoName) + "Codec")
		for _, c := range t.Collections {
			n.parts[c] = n.variable(lowerCamel(t.GoName) + c.GoName)
			n.stored[c.Struct] = true
		}
	}
	for _, s := range pkg.Series {
		n.series[s] = n.variable(lowerCamel(s.GoName) + "Series")
		n.codecs[s] = n.variable(lowerCamel(s.GoName) + "Codec")
	}
	for _, s := range pkg.Structs {
		n.codecs[s] = n.variable(lowerCamel(s.Name) + "Codec")
	}
	return n
}

func (n *names) codec(of any) string { return n.codecs[of] }

func (n *names) variable(name string) string { return unique(n.vars, name, "") }

// file returns the name of the Go file for a table or series. Names that the
// go command reads a meaning into, and those of other files, get a suffix.
func (n *names) file(name, suffix string) string {
	i := strings.LastIndexByte(name, '_')
	last := name[i+1:]
	if i >= 0 && (last == "test" || slices.Contains(platforms, last)) || slices.Contains(ourFiles, name) {
		name += suffix
	}
	return unique(n.files, name, ".go")
}

func unique(taken map[string]bool, name, ext string) string {
	for try, i := name, 2; ; i++ {
		if !taken[try+ext] {
			taken[try+ext] = true
			return try + ext
		}
		try = name + strconv.Itoa(i)
	}
}

// ourFiles are the base names of files that are no table's and no series'.
var ourFiles = []string{"doc", "generate", "tables", "enums", "structs"}

// platforms are the words that limit a Go file to a system or processor when
// they end its name.
var platforms = strings.Fields(`
	aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd
	openbsd plan9 solaris wasip1 windows zos
	386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le
	mips64p32 mips64p32le ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm`)

// receiver returns the letter under which methods and functions know a value of the Go type.
func receiver(goName string) string {
	switch letter := strings.ToLower(goName[:1]); letter {
	case "b", "m", "r", "w":
		return "v"
	default:
		return letter
	}
}

// lowerCamel turns an exported Go name into an unexported one: PositionID into
// positionID, IDMap into idMap.
func lowerCamel(goName string) string {
	runes := []rune(goName)
	for i, r := range runes {
		if !unicode.IsUpper(r) || i > 0 && i+1 < len(runes) && unicode.IsLower(runes[i+1]) {
			break
		}
		runes[i] = unicode.ToLower(r)
	}
	return string(runes)
}

// param returns the name of a parameter for a field or collection, or other
// where that name means something else inside the function.
func (n *names) param(goName, other string, taken ...string) string {
	name := lowerCamel(goName)
	if token.IsKeyword(name) || n.vars[name] || slices.Contains(taken, name) {
		return other
	}
	return name
}
