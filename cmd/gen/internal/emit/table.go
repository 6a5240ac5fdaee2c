package emit

import (
	"fmt"
	"strings"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// table prints the file of a table: id, row, codec, what store must know about
// it, and the repository.
func (p *printer) table(t *model.Table) {
	s := p.names.tableShape(t)
	p.idType(t)
	p.structType(s, fmt.Sprintf("%s is a row of table %s.", t.GoName, t.Name))
	p.codec(s)
	p.descriptor(t, s)
	for _, c := range t.Collections {
		p.collectionDescriptor(t, s, c)
	}
	p.repository(t, s)
}

// descriptor prints the store.Table of t.
func (p *printer) descriptor(t *model.Table, s shape) {
	row := s.Recv + " *" + t.GoName
	p.P("var %s = &%s[%s, %s]{", p.names.table(t), p.store("Table"), t.IDType, t.GoName)
	p.P("Name: %q,", t.Name)
	p.P("Codec: %s,", s.Codec)
	p.P("Key: %s,", p.keyCodec(idFormOf(t), t.IDType))
	p.P("ID: func(%s) %s { return %s },", row, t.IDType, idOf(t, s))
	if t.TTL > 0 {
		p.P("TTL: %s,", p.duration(t.TTL))
	}
	if t.States != nil {
		p.P("State: func(%s) string { return string(%s.%s) },", row, s.Recv, t.States.By.GoName)
		p.P("States: []%s{", p.store("State"))
		for _, st := range t.States.List {
			ttl := ""
			if st.TTL > 0 {
				ttl = ", TTL: " + p.duration(st.TTL)
			}
			p.P("{Name: %q, Values: []string{%s}%s},", st.Name, quoted(st.Values), ttl)
		}
		p.P("},")
	}
	if len(t.Indexes) > 0 {
		p.P("Indexes: []%s[%s]{", p.store("Index"), t.GoName)
		for _, x := range t.Indexes {
			p.index(t, s, x)
		}
		p.P("},")
	}
	if len(t.Holds) > 0 {
		p.P("Holds: []%s[%s]{", p.store("Hold"), t.GoName)
		for _, h := range t.Holds {
			p.P("{Table: %q, State: %q, Ref: %s},", h.Table.Name, h.State.Name, p.textFunc(s, h.Field))
		}
		p.P("},")
	}
	if len(t.KeptBy) > 0 {
		p.P("KeptBy: []string{%s},", quoted(stateRefs(t.KeptBy)))
	}
	if len(t.Collections) > 0 {
		vars := make([]string, len(t.Collections))
		for i, c := range t.Collections {
			vars[i] = p.names.collection(c)
		}
		p.P("Collections: []%s{%s},", p.store("Collection"), strings.Join(vars, ", "))
	}
	p.P("}\n")
}

// index prints one store.Index.
func (p *printer) index(t *model.Table, s shape, x *model.Index) {
	parts := []string{fmt.Sprintf("Name: %q", x.Name)}
	if x.State != nil {
		parts = append(parts, fmt.Sprintf("State: %q", x.State.Name))
	}
	if x.Field != nil {
		parts = append(parts, fmt.Sprintf("By: %q", x.Field.Name), "Field: "+p.textFunc(s, x.Field))
	}
	p.P("{%s},", strings.Join(parts, ", "))
}

// textFunc returns a function literal that yields the text of a field, "" when it is absent.
func (p *printer) textFunc(s shape, f *model.Field) string {
	var b strings.Builder
	fmt.Fprintf(&b, "func(%s *%s) string {", s.Recv, s.Name)
	field := s.Recv + "." + f.GoName
	value := field
	switch {
	case opt(f):
		fmt.Fprintf(&b, "\nif !%s.Valid {\nreturn \"\"\n}\n", field)
		value += ".Value"
	case f.Optional && f.Type.Kind == model.Reference && idFormOf(f.Type.Table) == intID:
		fmt.Fprintf(&b, "\nif %s == 0 {\nreturn \"\"\n}\n", field)
	case f.Optional && f.Type.Kind == model.Reference && idFormOf(f.Type.Table) == textID:
		fmt.Fprintf(&b, "\nif %s == (%s{}) {\nreturn \"\"\n}\n", field, f.Type.Table.IDType)
	default:
		b.WriteByte(' ')
	}
	fmt.Fprintf(&b, "return %s", p.fieldText(s, f, value))
	if f.Optional && strings.Contains(b.String(), "\n") {
		b.WriteString("\n}")
	} else {
		b.WriteString(" }")
	}
	return b.String()
}

// fieldText returns the expression for the text of field f of s, which value yields.
func (p *printer) fieldText(s shape, f *model.Field, value string) string {
	if f != s.key {
		return p.text(f.Type, value)
	}
	switch keyForm(f.Type) {
	case intID:
		return p.from("strconv", "FormatInt") + "(int64(" + value + "), 10)"
	case textID:
		return value + ".String()"
	}
	return "string(" + value + ")"
}

// keyCodec returns the value that turns ids of the given form into keys and back.
func (p *printer) keyCodec(form idForm, idType string) string {
	switch form {
	case intID:
		return p.store("IntKey") + "[" + idType + "]{}"
	case textID:
		return p.store("TextKey") + "[" + idType + ", *" + idType + "]{}"
	}
	return p.store("StringKey") + "[" + idType + "]{}"
}

// idOf returns the expression for the id of a row.
func idOf(t *model.Table, s shape) string {
	parts := make([]string, len(t.Key))
	for i, f := range t.Key {
		parts[i] = s.Recv + "." + f.GoName
	}
	if len(parts) == 1 {
		return parts[0]
	}
	return t.IDType + "{" + strings.Join(parts, ", ") + "}"
}

// collectionDescriptor prints the store.ListTable or store.HashTable of c.
func (p *printer) collectionDescriptor(t *model.Table, s shape, c *model.Collection) {
	element := p.names.structShape(c.Struct, true)
	kind := "ListTable"
	if c.Hash {
		kind = "HashTable"
	}
	p.P("var %s = &%s[%s, %s, %s]{", p.names.collection(c), p.store(kind), t.IDType, t.GoName, element.Name)
	p.P("Name: %q,", c.Name)
	p.P("Codec: %s,", element.Codec)
	if !c.Hash {
		p.P("ID: %s,", p.textFunc(element, c.ID))
		if c.Count != nil {
			count := s.Recv + "." + c.Count.GoName
			value, known := count, "true"
			if opt(c.Count) {
				value, known = count+".Value", count+".Valid"
			}
			p.P("Count: func(%s *%s) (int64, bool) { return %s, %s },", s.Recv, t.GoName, value, known)
		}
		if c.Capacity > 0 {
			p.P("Capacity: %d,", c.Capacity)
		}
	}
	p.P("}\n")
}

// quoted writes words as a Go list of strings.
func quoted(words []string) string {
	q := make([]string, len(words))
	for i, w := range words {
		q[i] = fmt.Sprintf("%q", w)
	}
	return strings.Join(q, ", ")
}

// stateRefs writes states the way schemas refer to them: position.open.
func stateRefs(refs []model.StateRef) []string {
	names := make([]string, len(refs))
	for i, r := range refs {
		names[i] = r.Table.Name + "." + r.State.Name
	}
	return names
}
