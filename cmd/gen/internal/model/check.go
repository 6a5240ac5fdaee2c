package model

import (
	"go/token"
	"io/fs"
	"maps"
	"os"
	"slices"

	"github.com/nacre-store/nacre/cmd/gen/internal/source"
)

// Load reads and checks the schema folder dir. Messages and headers call it
// display; goPackage is the name of the emitted package. The error lists
// everything that is wrong with the schema.
func Load(dir, display, goPackage string) (*Package, error) {
	return LoadFS(os.DirFS(dir), display, goPackage)
}

// LoadFS is [Load] of the folder that is the root of fsys.
func LoadFS(fsys fs.FS, display, goPackage string) (*Package, error) {
	schema, errs := source.Load(fsys, display)
	p := Check(schema, goPackage, errs)
	if err := errs.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// Check makes the model of a schema. It adds what is wrong to errs; the
// package is of use only when errs is empty then.
func Check(s *source.Schema, goPackage string, errs *source.Errors) *Package {
	c := &checker{
		errs:    errs,
		schema:  s,
		pkg:     &Package{Name: goPackage, Source: s.Path, places: schemaPlaces(s)},
		enums:   map[string]*Enum{},
		structs: map[string]*Struct{},
		tables:  map[string]*Table{},
		series:  map[string]*Series{},
		broken:  map[*Field]bool{},
	}
	c.declare()
	for i, t := range c.pkg.Tables {
		c.fill(t, c.tableSources[i])
	}
	for i, t := range c.pkg.Series {
		c.fillSeries(t, c.seriesSources[i])
	}
	for i, t := range c.pkg.Tables {
		c.keptBy(t, c.tableSources[i])
	}
	c.recursion()
	c.goNames()
	return c.pkg
}

type checker struct {
	errs   *source.Errors
	schema *source.Schema
	pkg    *Package

	// By name in the schema.
	enums   map[string]*Enum
	structs map[string]*Struct
	tables  map[string]*Table
	series  map[string]*Series

	// What the tables and series of pkg were made of, in the same order.
	tableSources  []*source.Table
	seriesSources []*source.Series

	// Fields whose type is an error: nothing else is said about their type.
	broken map[*Field]bool
}

// declare enters every name, so that the order of files means nothing, and
// then the fields of structs, tables and series.
func (c *checker) declare() {
	type pending struct {
		fields []*source.Field
		to     *[]*Field
	}
	var later []pending
	for _, f := range c.schema.Files {
		for _, e := range f.Enums {
			if first := c.typeNamed(e.Name.Value); first.IsValid() {
				c.errs.Addf(e.Name.Pos, "enums", "%q is already declared at %s", e.Name.Value, first)
				continue
			}
			enum := &Enum{Name: e.Name.Value, Doc: e.Doc, Values: values(e.Values), Pos: e.Name.Pos}
			c.enums[enum.Name] = enum
			c.pkg.Enums = append(c.pkg.Enums, enum)
		}
		for _, s := range f.Structs {
			if first := c.typeNamed(s.Name.Value); first.IsValid() {
				c.errs.Addf(s.Name.Pos, "structs", "%q is already declared at %s", s.Name.Value, first)
				continue
			}
			st := &Struct{Name: s.Name.Value, Doc: s.Doc, Reserved: c.reserved(s.Reserved, s.Fields), Pos: s.Name.Pos}
			c.structs[st.Name] = st
			c.pkg.Structs = append(c.pkg.Structs, st)
			later = append(later, pending{s.Fields, &st.Fields})
		}
		if t := f.Table; t != nil && c.typeWord(t.Name, "table") {
			plural := t.Plural
			if !plural.Given() {
				plural.Value = t.Name.Value + "s"
			}
			table := &Table{
				Name: t.Name.Value, Plural: plural.Value,
				GoName: GoName(t.Name.Value), GoPlural: GoName(plural.Value),
				Doc: t.Doc, Reserved: c.reserved(t.Reserved, t.Fields), File: f.Name, Pos: t.Name.Pos,
			}
			c.tables[table.Name] = table
			c.pkg.Tables = append(c.pkg.Tables, table)
			c.tableSources = append(c.tableSources, t)
			later = append(later, pending{t.Fields, &table.Fields})
		}
		if s := f.Series; s != nil && c.typeWord(s.Name, "series") {
			series := &Series{
				Name: s.Name.Value, GoName: GoName(s.Name.Value), GoPlural: GoName(s.Name.Value + "s"),
				Doc: s.Doc, KeyName: s.Key.Value, KeyDoc: s.KeyDoc,
				Reserved: c.reserved(s.Reserved, s.Fields), File: f.Name, Pos: s.Name.Pos,
			}
			c.series[series.Name] = series
			c.pkg.Series = append(c.pkg.Series, series)
			c.seriesSources = append(c.seriesSources, s)
			later = append(later, pending{s.Fields, &series.Fields})
		}
	}
	for _, p := range later {
		*p.to = c.fields(p.fields)
	}
	if len(c.pkg.Tables)+len(c.pkg.Series) == 0 && len(c.schema.Files) > 0 && !c.schema.Broken {
		c.errs.Addf(token.Position{Filename: c.schema.Path}, "folder", "no table and no series in it")
	}
}

// typeNamed is where an enum or struct of that name stands.
func (c *checker) typeNamed(name string) token.Position {
	if e := c.enums[name]; e != nil {
		return e.Pos
	}
	if s := c.structs[name]; s != nil {
		return s.Pos
	}
	return token.Position{}
}

// typeWord checks the name of a table or series, which is the type word of its
// keys.
func (c *checker) typeWord(name source.Text, subject string) bool {
	if !name.Given() {
		return false
	}
	if t := c.tables[name.Value]; t != nil {
		c.errs.Addf(name.Pos, subject, "%q is already the table at %s", name.Value, t.Pos)
		return false
	}
	if s := c.series[name.Value]; s != nil {
		c.errs.Addf(name.Pos, subject, "%q is already the series at %s", name.Value, s.Pos)
		return false
	}
	if name.Value == "nacre" {
		c.errs.Addf(name.Pos, subject, "%q is the store's own type word", name.Value)
	}
	if _, base := baseTypes[name.Value]; base || name.Value == "list" || name.Value == "map" {
		c.errs.Addf(name.Pos, subject, "%q is a type of the language", name.Value)
	}
	return true
}

// reserved checks that no field has a reserved name.
func (c *checker) reserved(names []source.Text, fields []*source.Field) []string {
	for _, f := range fields {
		i := slices.IndexFunc(names, func(n source.Text) bool { return n.Value == f.Name.Value })
		if i >= 0 {
			c.errs.Addf(f.Name.Pos, "reserved", "the field %q has a name that is reserved at line %d", f.Name.Value, names[i].Pos.Line)
		}
	}
	return values(names)
}

func values(texts []source.Text) []string {
	list := make([]string, len(texts))
	for i, t := range texts {
		list[i] = t.Value
	}
	return list
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
