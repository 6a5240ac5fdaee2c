package emit

import (
	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// structElem tells whether f is a list or a map of structs.
func structElem(f *model.Field) bool {
	return f.Type.Elem != nil && f.Type.Elem.Kind == model.StructKind
}

// appendField prints how a field is written.
func (p *printer) appendField(s shape, f *model.Field) {
	field := s.Recv + "." + f.GoName
	key := wireKey(f)
	if s.Array {
		key = `""`
	}
	switch {
	case f.Type.Kind == model.StructKind && f.Optional:
		p.P("if w.Opt(%s, %s.Valid) {\n%s.Value.append(w)\n}", key, field, field)
	case f.Type.Kind == model.StructKind:
		p.P("w.Key(%s)\n%s.append(w)", key, field)
	case f.Type.Kind == model.List && structElem(f):
		i := local(s, "i", "j")
		p.P("w.List(%s, len(%s), %s)", key, field, p.presence(f))
		p.P("for %s := range %s {\n%s[%s].append(w)\n}", i, field, field, i)
	case f.Type.Kind == model.Map && structElem(f):
		k, e := local(s, "k", "key"), local(s, "e", "elem")
		p.P("for _, %s := range %s(w, %s, %s, %s) {", k, p.wire("Keys"), key, field, p.presence(f))
		p.P("%s := %s[%s]\nw.Entry(%s)\n%s.append(w)\n}", e, field, k, k, e)
	default:
		p.P("%s", p.call("Put", "w", f, p.fieldType(s, f), key, field))
	}
}

// takeField prints how a field is read.
func (p *printer) takeField(s shape, f *model.Field) {
	field := s.Recv + "." + f.GoName
	key := wireKey(f)
	switch {
	case f.Type.Kind == model.StructKind && f.Optional:
		p.P("if r.Opt(%s, &%s.Valid) {\n%s.Value.take(r)", key, field, field)
		p.P("} else {\n%s.Value = %s{}\n}", field, f.Type.Struct.Name)
	case f.Type.Kind == model.StructKind:
		p.P("r.Key(%s)\n%s.take(r)", key, field)
	case f.Type.Kind == model.List && structElem(f):
		i := local(s, "i", "j")
		p.P("%s(r, %s, &%s, %s, %d)", p.wire("TakeList"), key, field, p.presence(f), least(*f.Type.Elem))
		p.P("for %s := range %s {\n%s[%s].take(r)\n}", i, field, field, i)
	case f.Type.Kind == model.Map && structElem(f):
		n, k, e := local(s, "n", "left"), local(s, "k", "key"), local(s, "e", "elem")
		p.P("for %s := %s(r, %s, &%s, %s, %d); %s > 0; %s-- {", n, p.wire("TakeMap"), key, field, p.presence(f), 1+least(*f.Type.Elem), n, n)
		p.P("%s := r.Entry()\nvar %s %s\n%s.take(r)\n%s[%s] = %s\n}", k, e, f.Type.Elem.Struct.Name, e, field, k, e)
	default:
		p.P("%s", p.call("Take", "r", f, p.fieldType(s, f), key, "&"+field))
	}
}
