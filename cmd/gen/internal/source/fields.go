package source

import "fmt"

// types reads "enums:" and "structs:".
func (d *decoder) types(f *File, n *node) {
	d.closed(n, "file", []key{
		{"enums", false, func(e *entry) {
			d.open(e.value, "enums", func(e *entry) {
				subject := fmt.Sprintf("enum %q", e.key.Value)
				d.typeName(e.key, "enums")
				values := d.words(e.value, subject, d.value)
				f.Enums = append(f.Enums, &Enum{Name: e.key, Doc: e.doc, Values: values})
			})
		}},
		{"structs", false, func(e *entry) {
			d.open(e.value, "structs", func(e *entry) {
				d.typeName(e.key, "structs")
				f.Structs = append(f.Structs, d.structure(e))
			})
		}},
	})
}

// structure reads a struct. Its key "reserved" with a list is the list of
// reserved names; with a type it is a field.
func (d *decoder) structure(e *entry) *Struct {
	subject := fmt.Sprintf("struct %q", e.key.Value)
	s := &Struct{Name: e.key, Doc: e.doc}
	n := *e.value
	n.entries = nil
	for _, e := range e.value.entries {
		if e.key.Value == "reserved" && e.value.kind == sequence {
			s.Reserved = append(s.Reserved, d.words(e.value, "reserved", d.name)...)
			continue
		}
		n.entries = append(n.entries, e)
	}
	s.Fields = d.fields(&n, subject)
	return s
}

func (d *decoder) fields(n *node, subject string) []*Field {
	var list []*Field
	d.open(n, subject, func(e *entry) {
		d.name(e.key, subject)
		f := &Field{Name: e.key, Doc: e.doc}
		list = append(list, f)
		subject := fmt.Sprintf("field %q", e.key.Value)
		readType := func(n *node) {
			if t := d.word(n, subject); t.Given() {
				f.Type = d.typeExpr(subject, t)
			}
		}
		switch e.value.kind {
		case scalar:
			readType(e.value)
		case mapping:
			d.closed(e.value, subject, []key{
				{"type", true, func(e *entry) { readType(e.value) }},
				{"max", false, func(e *entry) { f.Max = d.word(e.value, subject) }},
			})
		default:
			d.errs.Addf(e.value.pos, subject, "is %s (want a type, or {type: ..., max: ...})", e.value.kind)
		}
	})
	if n.kind == mapping && len(n.entries) == 0 {
		d.errs.Addf(n.pos, subject, "no fields")
	}
	return list
}
