package source

import (
	"regexp"
	"strings"
)

// This file reads type expressions:
//
//	type = base | base?
//	base = word | list<word> | map<word>

var word = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_]*$`)

// typeExpr returns nil when the text is no type expression; it has then said
// why.
func (d *decoder) typeExpr(subject string, t Text) *Type {
	out := &Type{Text: t}
	base := t.Value
	if s, ok := strings.CutSuffix(base, "?"); ok {
		base, out.Optional = s, true
	}
	out.Name = Text{Value: base, Pos: t.Pos}
	if head, inner, ok := strings.Cut(base, "<"); ok {
		inner, closed := strings.CutSuffix(inner, ">")
		at := t.Pos
		at.Column += len(head) + 1
		switch {
		case !closed:
			d.errs.Addf(t.Pos, subject, "bad type %q (no > at its end)", t.Value)
			return nil
		case head != "list" && head != "map":
			d.errs.Addf(t.Pos, subject, "unknown type %q (want list<...> or map<...>)", head+"<>")
			return nil
		case strings.HasSuffix(inner, "?"):
			d.errs.Addf(at, subject, "the elements of a %s are never optional", head)
			return nil
		case strings.Contains(inner, "<"):
			d.errs.Addf(at, subject, "no list or map inside a %s (put it into a struct)", head)
			return nil
		}
		out.Name = Text{Value: head, Pos: t.Pos}
		if out.Elem = d.typeExpr(subject, Text{Value: inner, Pos: at}); out.Elem == nil {
			return nil
		}
		return out
	}
	if !word.MatchString(base) {
		d.errs.Addf(t.Pos, subject, "bad type %q (want a type such as decimal, list<string> or Name, with ? when optional)", t.Value)
		return nil
	}
	return out
}
