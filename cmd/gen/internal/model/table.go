package model

import (
	"fmt"
	"go/token"

	"github.com/nacre-store/nacre/cmd/gen/internal/source"
)

// fill checks everything of a table but its fields' types, kept_by and Go
// names.
func (c *checker) fill(t *Table, s *source.Table) {
	c.key(t, s)
	t.TTL = c.ttl("ttl", s.TTL)
	if s.TTL.Given() && s.States != nil {
		c.errs.Addf(s.TTL.Pos, "ttl", "the table has states, line %d (give each state its ttl)", s.States.Pos.Line)
	}
	if s.States != nil {
		t.States = c.states(t, s.States)
	}
	parts := parts{errs: c.errs, taken: map[string]part{}}
	parts.taken["ids"] = part{what: "index of all rows"}
	parts.taken["held"] = part{what: "set of the rows that keep this one"}
	for _, col := range s.Collections {
		t.Collections = append(t.Collections, c.collection(t, col, parts))
	}
	for _, x := range s.Indexes {
		t.Indexes = append(t.Indexes, c.index(t, x, parts))
	}
}

func (c *checker) key(t *Table, s *source.Table) {
	for _, name := range s.Key {
		f := c.field("key", name, t.Fields)
		if f == nil {
			continue
		}
		switch f.Type.Kind {
		case String, Int64, EnumKind, Reference:
		default:
			c.errs.Addf(name.Pos, "key", "the field %q is a %s (want string, int64, an enum or a reference)", name.Value, f.Type)
		}
		if f.Optional {
			c.errs.Addf(name.Pos, "key", "the field %q is optional (a key is required)", name.Value)
		}
		t.Key = append(t.Key, f)
	}
}

// parts is the name space of the parts of a table's keys: indexes, collections
// and what the store keeps beside them.
type parts struct {
	errs  *source.Errors
	taken map[string]part
}

type part struct {
	what string
	pos  token.Position
}

func (p parts) take(subject, name, what string, pos token.Position) {
	other, clash := p.taken[name]
	switch {
	case !clash:
		p.taken[name] = part{what, pos}
	case other.pos.IsValid():
		p.errs.Addf(pos, subject, "its keys would be those of the %s at line %d", other.what, other.pos.Line)
	default:
		p.errs.Addf(pos, subject, "its keys would be those of the store's own %s", other.what)
	}
}

func (c *checker) collection(t *Table, s *source.Collection, parts parts) *Collection {
	subject := fmt.Sprintf("collection %q", s.Name.Value)
	col := &Collection{
		Name: s.Name.Value, GoName: GoName(s.Name.Value), Doc: s.Doc, Hash: s.Hash,
		Capacity: c.capacity(subject, s.Capacity), Pos: s.Name.Pos,
	}
	parts.take(subject, col.Name, subject, col.Pos)
	if !col.Hash {
		parts.take(subject, "seen_"+col.Name, "ids of the elements of "+subject, col.Pos)
	}
	if name := s.Struct.Value; s.Struct.Given() {
		if col.Struct = c.structs[name]; col.Struct == nil && !c.schema.Broken {
			c.errs.Addf(s.Struct.Pos, subject, "no struct %q%s", name, source.DidYouMean(name, sortedKeys(c.structs)))
		}
	}
	if f := c.field(subject, s.Count, t.Fields); f != nil {
		if col.Count = f; f.Type.Kind != Int64 {
			c.errs.Addf(s.Count.Pos, subject, "the count %q is a %s (want int64)", f.Name, f.Type)
		}
	}
	if col.Struct == nil {
		return col
	}
	if f := c.field(subject, s.ID, col.Struct.Fields); f != nil {
		col.ID = f
		switch {
		case f.Type.Kind != String && f.Type.Kind != Int64 && f.Type.Kind != Timestamp:
			c.errs.Addf(s.ID.Pos, subject, "the id %q is a %s (want string, int64 or timestamp)", f.Name, f.Type)
		case f.Optional:
			c.errs.Addf(s.ID.Pos, subject, "the id %q is optional (an element needs its id)", f.Name)
		}
	}
	return col
}

func (c *checker) index(t *Table, s *source.Index, parts parts) *Index {
	subject := fmt.Sprintf("index %q", s.Name.Value)
	x := &Index{Name: s.Name.Value, GoName: GoName(s.Name.Value), Doc: s.Doc, Pos: s.Name.Pos}
	parts.take(subject, x.Name, subject, x.Pos)
	if s.State.Given() {
		x.State = c.state(subject, s.State, s.State.Value, t)
	}
	if f := c.field(subject, s.Field, t.Fields); f != nil {
		x.Field = f
		switch f.Type.Kind {
		case String, EnumKind, Int64, Bool, Reference:
		default:
			c.errs.Addf(s.Field.Pos, subject, "the field %q is a %s (want string, int64, bool, an enum or a reference)", f.Name, f.Type)
		}
	}
	return x
}

// fillSeries checks everything of a series but its fields' types and Go names.
func (c *checker) fillSeries(t *Series, s *source.Series) {
	t.Capacity = c.capacity("capacity", s.Capacity)
	t.KeyType.Kind = noKind
	if s.KeyType == nil {
		return
	}
	t.KeyType, _ = c.resolve("key", s.KeyType)
	switch t.KeyType.Kind {
	case String, Int64, EnumKind, Reference, noKind:
	default:
		c.errs.Addf(s.KeyType.Text.Pos, "key", "%q is a %s (want string, int64, an enum or a reference)", s.Key.Value, t.KeyType)
	}
	if s.KeyType.Optional {
		c.errs.Addf(s.KeyType.Text.Pos, "key", "%q is optional (a key is required)", s.Key.Value)
	}
}
