package emit

import (
	"fmt"
	"slices"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// shares tells whether a copy of a struct with these fields shares memory with
// it that decoding may fill again.
func (p *printer) shares(fields []*model.Field) bool {
	return slices.ContainsFunc(fields, func(f *model.Field) bool { return p.sharesType(f.Type) })
}

func (p *printer) sharesType(t model.Type) bool {
	switch t.Kind {
	case model.List, model.Map, model.Bytes:
		return true
	case model.StructKind:
		return p.shares(t.Struct.Fields)
	}
	return false
}

// clone prints the Clone method of s.
func (p *printer) clone(s shape) {
	p.doc(fmt.Sprintf("Clone returns a copy that shares no list and no map with %s.", s.Recv))
	p.P("func (%s *%s) Clone() %s {", s.Recv, s.Name, s.Name)
	p.P("clone := *%s", s.Recv)
	for _, f := range s.Fields {
		from, to := s.Recv+"."+f.GoName, "clone."+f.GoName
		if opt(f) {
			from, to = from+".Value", to+".Value"
		}
		p.cloneValue(s, f.Type, from, to)
	}
	p.P("return clone\n}\n")
}

// cloneValue prints how a field of type t is copied from one expression to another.
func (p *printer) cloneValue(s shape, t model.Type, from, to string) {
	if !p.sharesType(t) {
		return
	}
	switch t.Kind {
	case model.StructKind:
		p.P("%s = %s.Clone()", to, from)
	case model.Bytes:
		p.P("%s = %s(%s)", to, p.from("bytes", "Clone"), from)
	case model.List:
		p.P("%s = %s(%s)", to, p.from("slices", "Clone"), from)
		p.cloneElems(s, *t.Elem, to, local(s, "i", "j"))
	case model.Map:
		p.P("%s = %s(%s)", to, p.from("maps", "Clone"), from)
		p.cloneElems(s, *t.Elem, to, local(s, "k", "key"))
	}
}

// cloneElems prints the loop over elements that share memory themselves.
func (p *printer) cloneElems(s shape, t model.Type, list, index string) {
	if !p.sharesType(t) {
		return
	}
	e := local(s, "e", "elem")
	p.P("for %s, %s := range %s {", index, e, list)
	p.cloneValue(s, t, e, fmt.Sprintf("%s[%s]", list, index))
	p.P("}")
}
