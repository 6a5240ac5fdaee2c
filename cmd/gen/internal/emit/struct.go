package emit

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// fieldWidth is the column up to which a field's comment stays behind it.
const fieldWidth = 120

// extraDoc describes the field that every struct ends with.
const extraDoc = "Fields of a newer schema, as msgpack pairs, kept byte for byte."

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

// structType prints the Go struct of s. A field's comment stands behind it
// where it fits, else above.
func (p *printer) structType(s shape, defaultDoc string) {
	p.doc(cmp.Or(s.Doc, defaultDoc))
	p.P("type %s struct {", s.Name)
	nameWidth, typeWidth := len("Extra"), len("string")
	for _, f := range s.Fields {
		nameWidth = max(nameWidth, len(f.GoName))
		typeWidth = max(typeWidth, len(p.fieldType(s, f)))
	}
	room := fieldWidth - len("    ") - nameWidth - len(" ") - typeWidth - len(" // ")
	for _, f := range s.Fields {
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
	if len(extraDoc) > room {
		p.doc(extraDoc)
		p.P("Extra string")
	} else {
		p.P("Extra string // %s", extraDoc)
	}
	p.P("}\n")
}
