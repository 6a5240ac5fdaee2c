package emit

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// fieldWidth is the column up to which a field's comment stays behind it.
const fieldWidth = 120

// structs prints the structs of the schema with their codecs.
func (p *printer) structs(pkg *model.Package) {
	stored := make(map[*model.Struct]bool)
	for _, t := range pkg.Tables {
		for _, c := range t.Collections {
			stored[c.Struct] = true
		}
	}
	for _, t := range pkg.Structs {
		s := p.names.structShape(t, stored[t])
		p.structType(s, fmt.Sprintf("%s is a struct of the schema.", s.Name))
		p.codec(s)
	}
}

// extra is the field that every struct ends with.
var extra = &model.Field{
	GoName: "Extra",
	Type:   model.Type{Kind: model.String},
	Doc:    "Fields of a newer schema, as msgpack pairs, kept byte for byte.",
}

// structType prints the Go struct of s.
func (p *printer) structType(s shape, defaultDoc string) {
	p.doc(cmp.Or(s.Doc, defaultDoc))
	p.P("type %s struct {", s.Name)
	fields := append(slices.Clip(s.Fields), extra)
	if i := firstOptional(s.Fields); i > 0 {
		p.structFields(s, fields[:i])
		p.P("\n// From here on fields are optional: their zero value is absence.\n")
		fields = fields[i:]
	}
	p.structFields(s, fields)
	p.P("}\n")
}

// structFields prints fields, which gofmt aligns. A field's comment stands
// behind it where it fits, else above.
func (p *printer) structFields(s shape, fields []*model.Field) {
	nameWidth, typeWidth := 0, 0
	for _, f := range fields {
		nameWidth = max(nameWidth, len(f.GoName))
		typeWidth = max(typeWidth, len(p.fieldType(s, f)))
	}
	room := fieldWidth - len("    ") - nameWidth - len(" ") - typeWidth - len(" // ")
	for _, f := range fields {
		doc := printable(f.Doc)
		switch {
		case doc == "":
			p.P("%s %s", f.GoName, p.fieldType(s, f))
		case len(doc) <= room && !strings.Contains(doc, "\n"):
			p.P("%s %s // %s", f.GoName, p.fieldType(s, f), doc)
		default:
			p.doc(doc)
			p.P("%s %s", f.GoName, p.fieldType(s, f))
		}
	}
}

// firstOptional returns the index of the first optional field, or -1 where the
// required fields do not all stand before the optional ones.
func firstOptional(fields []*model.Field) int {
	first := slices.IndexFunc(fields, func(f *model.Field) bool { return f.Optional })
	if first <= 0 || slices.ContainsFunc(fields[first:], func(f *model.Field) bool { return !f.Optional }) {
		return -1
	}
	return first
}
