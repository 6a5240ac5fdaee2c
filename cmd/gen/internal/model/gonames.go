package model

import (
	"fmt"
	"go/token"
	"go/types"
	"slices"
)

// This file finds schema names whose Go names meet: two fields of a row, a
// field and a method, two types of the package. Every exported name of emitted
// code is declared here; the unexported ones are the emitter's to choose.

// rowNames are the methods and the field that every emitted row, struct and
// element has.
var rowNames = []string{
	"MarshalMsg", "UnmarshalMsg", "Msgsize", "EncodeMsg", "DecodeMsg",
	"MarshalJSON", "UnmarshalJSON", "Clone", "Extra",
}

// idNames are the methods of the id type of a composite key.
var idNames = []string{"String", "AppendText", "MarshalText", "UnmarshalText"}

// repositoryNames are what a repository takes from store.Rows. A method of the
// same name would hide it. Pending is not among them: an index may have that
// name, and store.Rows.Pending is then reached through the field Rows.
var repositoryNames = []string{
	"Rows", "Set", "Get", "Peek", "GetMany", "Put", "PutMany", "Update", "Delete",
	"Verify", "All", "Count", "Watch",
}

func (c *checker) goNames() {
	if name := c.pkg.Name; !token.IsIdentifier(name) || name == "_" || name == "main" || types.Universe.Lookup(name) != nil {
		c.errs.Addf(token.Position{Filename: c.pkg.Source}, "package", "%q is no name for the Go package", name)
	}
	pkg := newScope(c.errs)
	pkg.reserve("every emitted package", "Tables", "New", "Schema")
	tables := newScope(c.errs) // The fields of Tables.

	for _, e := range c.pkg.Enums {
		pkg.declare(e.Name, fmt.Sprintf("enum %q", e.Name), e.Pos)
	}
	for _, s := range c.pkg.Structs {
		pkg.declare(s.Name, fmt.Sprintf("struct %q", s.Name), s.Pos)
		c.rowScope(s.Fields)
	}
	for _, t := range c.pkg.Tables {
		pkg.declare(t.GoName, fmt.Sprintf("table %q", t.Name), t.Pos)
		pkg.declare(t.GoPlural, fmt.Sprintf("plural %q of the table", t.Plural), t.Pos)
		tables.declare(t.GoPlural, fmt.Sprintf("plural %q of the table", t.Plural), t.Pos)
		c.rowScope(t.Fields)
	}
	for _, s := range c.pkg.Series {
		by := fmt.Sprintf("series %q", s.Name)
		pkg.declare(s.GoName, by, s.Pos)
		tables.declare(s.GoPlural, by, s.Pos)
		c.rowScope(s.Fields)
	}
	for _, e := range c.pkg.Enums {
		for _, v := range e.Values {
			pkg.declare(e.Const(v), fmt.Sprintf("value %s of the enum %q", v, e.Name), c.pkg.places.of("enums", e.Name, v))
		}
	}
	for _, t := range c.pkg.Tables {
		c.idType(t, pkg)
		c.repositoryScope(t)
	}
	for i, s := range c.pkg.Series {
		switch s.KeyType.Kind {
		case noKind:
		case EnumKind:
			s.IDType = s.KeyType.Enum.Name
		case Reference:
			s.IDType = s.KeyType.Table.IDType
		default:
			s.IDType = GoName(s.KeyName)
			pkg.declare(s.IDType, fmt.Sprintf("key %q", s.KeyName), c.seriesSources[i].Key.Pos)
		}
	}
}

// rowScope checks the names within a row, struct or element.
func (c *checker) rowScope(fields []*Field) {
	row := newScope(c.errs)
	row.reserve("every row", rowNames...)
	for _, f := range fields {
		row.declare(f.GoName, fmt.Sprintf("field %q", f.Name), f.Pos)
	}
}

// idType names the id type of a table and declares it where the table is the
// one to emit it: a key that is an enum or a reference has its type already.
func (c *checker) idType(t *Table, pkg *scope) string {
	const resolving = "?"
	switch {
	case t.IDType == resolving:
		c.errs.Addf(t.Pos, "key", "the id of the table %q is an id of itself", t.Name)
		return ""
	case t.IDType != "" || len(t.Key) == 0:
		return t.IDType
	}
	t.IDType = resolving
	name := t.GoName + "ID"
	if len(t.Key) == 1 {
		switch f := t.Key[0]; f.Type.Kind {
		case EnumKind:
			name = f.Type.Enum.Name
		case Reference:
			name = c.idType(f.Type.Table, pkg)
		default:
			name = f.GoName
			pkg.declare(name, fmt.Sprintf("key %q of the table %q", f.Name, t.Name), f.Pos)
		}
	} else {
		pkg.declare(name, fmt.Sprintf("key of the table %q", t.Name), t.Pos)
		id := newScope(c.errs)
		id.reserve("every composite id", idNames...)
		for _, f := range t.Key {
			id.declare(f.GoName, fmt.Sprintf("key %q", f.Name), f.Pos)
			if f.Type.Kind == Reference {
				c.idType(f.Type.Table, pkg)
			}
		}
	}
	t.IDType = name
	return name
}

// repositoryScope checks the methods of a repository.
func (c *checker) repositoryScope(t *Table) {
	methods := newScope(c.errs)
	methods.reserve("every repository", repositoryNames...)
	for _, col := range t.Collections {
		by := fmt.Sprintf("collection %q", col.Name)
		methods.declare(col.GoName, by, col.Pos)
		methods.declare(col.GoName+"Of", by, col.Pos)
		if !col.Hash {
			methods.declare("Append"+col.GoName, by, col.Pos)
		}
	}
	for _, x := range t.Indexes {
		if slices.ContainsFunc(t.Collections, func(col *Collection) bool { return col.Name == x.Name }) {
			continue // An error already: the two share a part.
		}
		methods.declare(x.GoName, fmt.Sprintf("index %q", x.Name), x.Pos)
	}
}
