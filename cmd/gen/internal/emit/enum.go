package emit

import (
	"strings"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// fewValues is the number up to which an enum's doc spells its values out.
const fewValues = 4

// enums prints the enums of the schema.
func (p *printer) enums(enums []*model.Enum) {
	for _, e := range enums {
		p.enum(e)
	}
}

// enum prints a string type, its constants and Valid. Readers keep words that
// they don't know, so the type is open and Valid tells.
func (p *printer) enum(e *model.Enum) {
	switch {
	case strings.HasPrefix(e.Doc, e.Name+" "):
		p.doc(e.Doc)
	case len(e.Values) <= fewValues:
		p.doc(sentences(e.Name+" is "+join(e.Values, "or")+".", e.Doc))
	default:
		p.doc(sentences(e.Name+" is one of the words below.", e.Doc))
	}
	p.P("type %s string\n", e.Name)

	p.doc("The values of [" + e.Name + "].")
	p.P("const (")
	consts := make([]string, len(e.Values))
	for i, v := range e.Values {
		consts[i] = e.Const(v)
		p.P("%s %s = %q", consts[i], e.Name, v)
	}
	p.P(")\n")

	p.doc("Valid tells whether v is one of the values above. A word of a newer schema is read and written back, but not valid.")
	p.P("func (v %s) Valid() bool {", e.Name)
	p.P("switch v {")
	lines := wrap(strings.Join(consts, ", "), commentWidth-len("        case "))
	p.P("case %s:", strings.Join(lines, "\n"))
	p.P("return true\n}\nreturn false\n}\n")
}
