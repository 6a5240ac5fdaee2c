package source

import "fmt"

// table reads a file with the key "table".
func (d *decoder) table(n *node) *Table {
	t := &Table{}
	d.closed(n, "file", []key{
		{"table", true, func(e *entry) {
			t.Name, t.Doc = d.nameOf(e.value, "table"), e.doc
		}},
		{"plural", false, func(e *entry) { t.Plural = d.nameOf(e.value, "plural") }},
		{"key", true, func(e *entry) {
			t.KeyPos = e.value.pos
			if e.value.kind == sequence {
				t.Key = d.words(e.value, "key", d.name)
			} else if name := d.nameOf(e.value, "key"); name.Given() {
				t.Key = []Text{name}
			}
		}},
		{"ttl", false, func(e *entry) { t.TTL = d.word(e.value, "ttl") }},
		{"kept_by", false, func(e *entry) { t.KeptBy = d.stateRefs(e.value) }},
		{"fields", true, func(e *entry) { t.Fields = d.fields(e.value, "fields") }},
		{"collections", false, func(e *entry) {
			d.open(e.value, "collections", func(e *entry) {
				if c := d.collection(e); c != nil {
					t.Collections = append(t.Collections, c)
				}
			})
		}},
		{"states", false, func(e *entry) { t.States = d.states(e) }},
		{"indexes", false, func(e *entry) {
			d.open(e.value, "indexes", func(e *entry) {
				if x := d.index(e); x != nil {
					t.Indexes = append(t.Indexes, x)
				}
			})
		}},
		{"reserved", false, func(e *entry) { t.Reserved = d.words(e.value, "reserved", d.name) }},
	})
	return t
}

func (d *decoder) collection(e *entry) *Collection {
	d.name(e.key, "collections")
	subject := fmt.Sprintf("collection %q", e.key.Value)
	c := &Collection{Name: e.key, Doc: e.doc}
	structName := func(n *node) {
		if t := d.word(n, subject); t.Given() && d.typeName(t, subject) {
			c.Struct = t
		}
	}
	for _, o := range e.value.entries {
		c.Hash = c.Hash || o.key.Value == "hash"
	}
	list := func(read func(n *node)) func(e *entry) {
		return func(e *entry) {
			if c.Hash {
				d.errs.Addf(e.key.Pos, subject, "%q is for a list, and this is a hash", e.key.Value)
				return
			}
			read(e.value)
		}
	}
	if !d.closed(e.value, subject, []key{
		{"hash", false, func(e *entry) { structName(e.value) }},
		{"list", !c.Hash, list(structName)},
		{"id", !c.Hash, list(func(n *node) { c.ID = d.nameOf(n, subject) })},
		{"count", false, list(func(n *node) { c.Count = d.nameOf(n, subject) })},
		{"capacity", false, list(func(n *node) { c.Capacity = d.word(n, subject) })},
	}) {
		return nil
	}
	return c
}

func (d *decoder) states(e *entry) *States {
	s := &States{Pos: e.key.Pos}
	if !d.want(e.value, mapping, "states") {
		return nil
	}
	d.open(e.value, "states", func(e *entry) {
		if e.key.Value == "by" {
			s.By = d.nameOf(e.value, "states")
			return
		}
		d.name(e.key, "states")
		subject := fmt.Sprintf("state %q", e.key.Value)
		state := &State{Name: e.key, Doc: e.doc}
		if d.closed(e.value, subject, []key{
			{"values", true, func(e *entry) { state.Values = d.words(e.value, subject, d.value) }},
			{"ttl", false, func(e *entry) { state.TTL = d.word(e.value, subject) }},
		}) {
			s.List = append(s.List, state)
		}
	})
	for _, o := range e.value.entries {
		if o.key.Value == "by" {
			return s
		}
	}
	d.errs.Addf(e.key.Pos, "states", "the key %q is missing", "by")
	return nil
}

func (d *decoder) index(e *entry) *Index {
	d.name(e.key, "indexes")
	subject := fmt.Sprintf("index %q", e.key.Value)
	x := &Index{Name: e.key, Doc: e.doc}
	ok := d.closed(e.value, subject, []key{
		{"state", false, func(e *entry) { x.State = d.nameOf(e.value, subject) }},
		{"field", false, func(e *entry) { x.Field = d.nameOf(e.value, subject) }},
	})
	if ok && len(e.value.entries) == 0 {
		d.errs.Addf(e.value.pos, subject, "lists nothing (want state, field or both)")
	}
	if !ok {
		return nil
	}
	return x
}

// series reads a file with the key "series".
func (d *decoder) series(n *node) *Series {
	s := &Series{}
	d.closed(n, "file", []key{
		{"series", true, func(e *entry) {
			s.Name, s.Doc = d.nameOf(e.value, "series"), e.doc
		}},
		{"key", true, func(e *entry) {
			if !d.want(e.value, mapping, "key") {
				return
			}
			if len(e.value.entries) != 1 {
				d.errs.Addf(e.value.pos, "key", "has %d names (want one: {name: type})", len(e.value.entries))
				return
			}
			one := e.value.entries[0]
			d.name(one.key, "key")
			s.KeyDoc = e.doc
			if t := d.word(one.value, "key"); t.Given() {
				s.Key, s.KeyType = one.key, d.typeExpr("key", t)
			}
		}},
		{"capacity", true, func(e *entry) { s.Capacity = d.word(e.value, "capacity") }},
		{"fields", true, func(e *entry) { s.Fields = d.fields(e.value, "fields") }},
		{"reserved", false, func(e *entry) { s.Reserved = d.words(e.value, "reserved", d.name) }},
	})
	return s
}
