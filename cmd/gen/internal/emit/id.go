package emit

import (
	"fmt"
	"strings"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// idType prints the id type of a table. A key that is an enum or a reference
// has a type already.
func (p *printer) idType(t *model.Table) {
	if len(t.Key) > 1 {
		p.compositeID(t)
		return
	}
	p.keyType(t.Key[0].Type, t.IDType, fmt.Sprintf("%s identifies %s.", t.IDType, article("["+t.GoName+"]")))
}

// keyType prints a string or integer type for ids.
func (p *printer) keyType(t model.Type, name, doc string) {
	switch t.Kind {
	case model.String, model.Int64:
		p.doc(doc)
		p.P("type %s %s\n", name, p.goType(t))
	}
}

// compositeID prints the struct for a key of several fields and its text form.
func (p *printer) compositeID(t *model.Table) {
	words := make([]string, len(t.Key))
	for i, f := range t.Key {
		words[i] = f.Name
	}
	p.doc(fmt.Sprintf("%s identifies %s by %s.", t.IDType, article("["+t.GoName+"]"), join(words, "and")))
	p.P("type %s struct {", t.IDType)
	for _, f := range t.Key {
		p.P("%s %s", f.GoName, p.goType(f.Type))
	}
	p.P("}\n")

	texts := make([]string, len(t.Key))
	for i, f := range t.Key {
		texts[i] = p.text(f.Type, "id."+f.GoName)
	}
	p.doc(`String returns the id as keys and references spell it: its parts joined by ":", with % and : inside of a part as %25 and %3A.`)
	p.P("func (id %s) String() string {", t.IDType)
	p.P("return %s(%s)", p.wire("JoinID"), strings.Join(texts, ", "))
	p.P("}\n")

	p.doc("AppendText implements [encoding.TextAppender]: String, appended.")
	p.P("func (id %s) AppendText(b []byte) ([]byte, error) {", t.IDType)
	for i, f := range t.Key {
		if i > 0 {
			p.P("b = append(b, ':')")
		}
		p.appendPart(f, texts[i])
	}
	p.P("return b, nil\n}\n")

	p.doc("MarshalText implements [encoding.TextMarshaler].")
	p.P("func (id %s) MarshalText() ([]byte, error) { return id.AppendText(nil) }\n", t.IDType)

	p.doc("UnmarshalText implements [encoding.TextUnmarshaler]. It sets nothing when it fails.")
	p.P("func (id *%s) UnmarshalText(text []byte) error {", t.IDType)
	p.P("parts, err := %s(string(text), %d)", p.wire("SplitID"), len(t.Key))
	p.P("if err != nil {\nreturn err\n}")
	p.P("var v %s", t.IDType)
	for i, f := range t.Key {
		p.parsePart(f, fmt.Sprintf("parts[%d]", i))
	}
	p.P("*id = v\nreturn nil\n}\n")
}

// appendPart prints how one part of a composite id, with the given text, is
// appended: an integer without making that text.
func (p *printer) appendPart(f *model.Field, text string) {
	if keyForm(f.Type) != intID {
		p.P("b = %s(b, %s)", p.wire("AppendPart"), text)
		return
	}
	n := "id." + f.GoName
	if p.goType(f.Type) != "int64" {
		n = "int64(" + n + ")"
	}
	p.P("b = %s(b, %s, 10)", p.from("strconv", "AppendInt"), n)
}

// parsePart prints how one part of a composite id is read from its text.
func (p *printer) parsePart(f *model.Field, part string) {
	goType := p.goType(f.Type)
	switch form := keyForm(f.Type); {
	case form == textID:
		p.P("if err := v.%s.UnmarshalText([]byte(%s)); err != nil {\nreturn err\n}", f.GoName, part)
	case form == intID && goType == "int64":
		p.P("if v.%s, err = %s(%s, 10, 64); err != nil {\nreturn err\n}", f.GoName, p.from("strconv", "ParseInt"), part)
	case form == intID:
		n := unexported(f.GoName) + "Int"
		p.P("%s, err := %s(%s, 10, 64)", n, p.from("strconv", "ParseInt"), part)
		p.P("if err != nil {\nreturn err\n}")
		p.P("v.%s = %s(%s)", f.GoName, goType, n)
	case goType == "string":
		p.P("v.%s = %s", f.GoName, part)
	default:
		p.P("v.%s = %s(%s)", f.GoName, goType, part)
	}
}

// text returns the Go expression for the text of a value that may be part of
// an id, an index or a hold: string, enum, int64, bool or reference.
func (p *printer) text(t model.Type, expr string) string {
	switch t.Kind {
	case model.String:
		return expr
	case model.Bool:
		return p.from("strconv", "FormatBool") + "(" + expr + ")"
	case model.Int64:
		return p.from("strconv", "FormatInt") + "(" + expr + ", 10)"
	case model.Timestamp:
		return p.from("strconv", "FormatInt") + "(int64(" + expr + "), 10)"
	case model.Reference:
		switch idFormOf(t.Table) {
		case intID:
			return p.from("strconv", "FormatInt") + "(int64(" + expr + "), 10)"
		case textID:
			return expr + ".String()"
		}
	}
	return "string(" + expr + ")"
}
