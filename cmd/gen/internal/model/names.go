package model

import (
	"go/token"
	"strings"

	"github.com/nacre-store/nacre/cmd/gen/internal/source"
)

// This file makes Go names of schema names. Initialisms are ID, URL and UUID
// only: price_id is PriceID, ts_init is TsInit, avg_px is AvgPx.

// GoName is the exported Go name of a snake case name.
func GoName(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		switch part {
		case "":
		case "id", "url", "uuid":
			b.WriteString(strings.ToUpper(part))
		default:
			b.WriteString(strings.ToUpper(part[:1]) + part[1:])
		}
	}
	return b.String()
}

// Const is the Go name of the constant of an enum value: type and value.
func (e *Enum) Const(value string) string {
	return e.Name + GoName(strings.ToLower(value))
}

// A scope holds the names of one Go scope: a package, the methods and fields
// of one type.
type scope struct {
	errs  *source.Errors
	taken map[string]taken
}

type taken struct {
	by  string
	pos token.Position
}

func newScope(errs *source.Errors) *scope {
	return &scope{errs: errs, taken: map[string]taken{}}
}

// reserve takes names that emitted code needs.
func (s *scope) reserve(by string, names ...string) {
	for _, n := range names {
		s.taken[n] = taken{by: by}
	}
}

// declare takes a name for what stands at pos, or says who has it.
func (s *scope) declare(goName, by string, pos token.Position) {
	other, clash := s.taken[goName]
	switch {
	case !clash:
		s.taken[goName] = taken{by, pos}
	case other.pos.IsValid():
		s.errs.Addf(pos, by, "its Go name %s is that of the %s at %s", goName, other.by, other.pos)
	default:
		s.errs.Addf(pos, by, "its Go name %s is that of %s", goName, other.by)
	}
}

// Unexported is the unexported form of an exported Go name: positionID of
// PositionID, urlPath of URLPath.
func Unexported(goName string) string {
	for _, initialism := range []string{"UUID", "URL", "ID"} {
		rest, ok := strings.CutPrefix(goName, initialism)
		if ok && (rest == "" || rest[0] >= 'A' && rest[0] <= 'Z') {
			return strings.ToLower(initialism) + rest
		}
	}
	if goName == "" {
		return ""
	}
	return strings.ToLower(goName[:1]) + goName[1:]
}

// buildConstraint is the ending for which the go command would build the file
// of a table on some machines or in tests only.
func buildConstraint(name string) string {
	for {
		_, last, ok := strings.Cut(name, "_")
		if !ok {
			return ""
		}
		if name = last; constrained[name] {
			return "_" + name
		}
	}
}

var constrained = func() map[string]bool {
	m := map[string]bool{}
	for _, word := range strings.Fields(`test
		aix android darwin dragonfly freebsd hurd illumos ios js linux nacl netbsd openbsd plan9 solaris wasip1 windows zos
		386 amd64 amd64p32 arm armbe arm64 arm64be loong64 mips mipsle mips64 mips64le mips64p32 mips64p32le
		ppc ppc64 ppc64le riscv riscv64 s390 s390x sparc sparc64 wasm`) {
		m[word] = true
	}
	return m
}()
