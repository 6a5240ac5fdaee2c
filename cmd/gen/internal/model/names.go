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
	case goName == "": // A bad name, which was an error before.
	case !clash:
		s.taken[goName] = taken{by, pos}
	case other.pos.IsValid():
		s.errs.Addf(pos, by, "its Go name %s is that of the %s at %s", goName, other.by, other.pos)
	default:
		s.errs.Addf(pos, by, "its Go name %s is taken: %s has it", goName, other.by)
	}
}
