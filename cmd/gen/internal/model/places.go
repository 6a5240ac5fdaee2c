package model

import (
	"go/token"
	"strings"

	"github.com/nacre-store/nacre/cmd/gen/internal/source"
)

// places tells where things stand, in a schema or in a lock. Things are named
// as the lock nests them: "tables", "order", "fields", "price".
type places map[string]token.Position

// of is the place of the innermost thing named that has one.
func (p places) of(names ...string) token.Position {
	for n := len(names); n > 0; n-- {
		if pos, ok := p[placeKey(names[:n])]; ok {
			return pos
		}
	}
	return p[""]
}

// set enters the place of a thing that is there.
func (p places) set(pos token.Position, names ...string) {
	if pos.IsValid() {
		p[placeKey(names)] = pos
	}
}

func placeKey(names []string) string { return strings.Join(names, "\x00") }

func schemaPlaces(s *source.Schema) places {
	at := places{"": token.Position{Filename: s.Path}}
	for _, f := range s.Files {
		for _, e := range f.Enums {
			at.set(e.Name.Pos, "enums", e.Name.Value)
			for _, v := range e.Values {
				at.set(v.Pos, "enums", e.Name.Value, v.Value)
			}
		}
		for _, st := range f.Structs {
			at.set(st.Name.Pos, "structs", st.Name.Value)
			at.fields(st.Fields, st.Reserved, "structs", st.Name.Value)
		}
		if s := f.Series; s != nil {
			at.set(s.Name.Pos, "series", s.Name.Value)
			at.set(s.Key.Pos, "series", s.Name.Value, "key")
			at.set(s.Capacity.Pos, "series", s.Name.Value, "capacity")
			at.fields(s.Fields, s.Reserved, "series", s.Name.Value)
		}
		if f.Table != nil {
			at.table(f.Table)
		}
	}
	return at
}

func (p places) fields(fields []*source.Field, reserved []source.Text, owner ...string) {
	in := func(more ...string) []string { return append(owner[:len(owner):len(owner)], more...) }
	for _, f := range fields {
		p.set(f.Name.Pos, in("fields", f.Name.Value)...)
		p.set(f.Max.Pos, in("fields", f.Name.Value, "max")...)
		if f.Type != nil {
			p.set(f.Type.Text.Pos, in("fields", f.Name.Value, "type")...)
		}
	}
	if len(reserved) > 0 {
		p.set(reserved[0].Pos, in("reserved")...)
	}
}

func (p places) table(t *source.Table) {
	name := t.Name.Value
	p.set(t.Name.Pos, "tables", name)
	p.set(t.KeyPos, "tables", name, "key")
	p.set(t.TTL.Pos, "tables", name, "ttl")
	for _, ref := range t.KeptBy {
		p.set(t.KeptBy[0].Pos, "tables", name, "kept_by")
		p.set(ref.Pos, "tables", name, "kept_by", ref.Value)
	}
	p.fields(t.Fields, t.Reserved, "tables", name)
	for _, c := range t.Collections {
		p.set(c.Name.Pos, "tables", name, "collections", c.Name.Value)
		p.set(c.ID.Pos, "tables", name, "collections", c.Name.Value, "id")
		p.set(c.Count.Pos, "tables", name, "collections", c.Name.Value, "count")
		p.set(c.Capacity.Pos, "tables", name, "collections", c.Name.Value, "capacity")
	}
	for _, x := range t.Indexes {
		p.set(x.Name.Pos, "tables", name, "indexes", x.Name.Value)
	}
	if t.States != nil {
		p.set(t.States.Pos, "tables", name, "states")
		p.set(t.States.By.Pos, "tables", name, "states", "by")
		for _, s := range t.States.List {
			p.set(s.Name.Pos, "tables", name, "states", "sets", s.Name.Value)
			p.set(s.TTL.Pos, "tables", name, "states", "sets", s.Name.Value, "ttl")
			for _, v := range s.Values {
				p.set(v.Pos, "tables", name, "states", "sets", s.Name.Value, "values", v.Value)
			}
		}
	}
}
