package model

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/nacre-store/nacre/cmd/gen/internal/source"
)

// baseTypes are the types that the language brings, but for list and map.
var baseTypes = map[string]Kind{
	"string": String, "bool": Bool, "int64": Int64, "float64": Float64,
	"decimal": Decimal, "timestamp": Timestamp, "bytes": Bytes,
}

// noKind is the kind of a type that is an error.
const noKind Kind = 255

// fields resolves the types of a field list. A field whose type is an error
// stays in the list as a broken one.
func (c *checker) fields(list []*source.Field) []*Field {
	fields := make([]*Field, len(list))
	for i, f := range list {
		subject := fmt.Sprintf("field %q", f.Name.Value)
		field := &Field{Name: f.Name.Value, GoName: GoName(f.Name.Value), Doc: f.Doc, Pos: f.Name.Pos}
		fields[i] = field
		if f.Type == nil {
			c.broken[field] = true
			continue
		}
		field.Optional, field.TypePos = f.Type.Optional, f.Type.Text.Pos
		t, ok := c.resolve(subject, f.Type)
		if !ok {
			c.broken[field] = true
			continue
		}
		field.Type = t
		if f.Max.Given() {
			field.Max = c.max(subject, f.Max, field)
		}
	}
	return fields
}

func (c *checker) resolve(subject string, t *source.Type) (Type, bool) {
	name := t.Name.Value
	if t.Elem != nil {
		elem, ok := c.resolve(subject, t.Elem)
		kind := List
		if name == "map" {
			kind = Map
		}
		return Type{Kind: kind, Elem: &elem}, ok
	}
	if kind, ok := baseTypes[name]; ok {
		return Type{Kind: kind}, true
	}
	if e := c.enums[name]; e != nil {
		return Type{Kind: EnumKind, Enum: e}, true
	}
	if s := c.structs[name]; s != nil {
		return Type{Kind: StructKind, Struct: s}, true
	}
	if t := c.tables[name]; t != nil {
		return Type{Kind: Reference, Table: t}, true
	}
	switch {
	case name == "list" || name == "map":
		c.errs.Addf(t.Name.Pos, subject, "%s of what? (want %s<type>)", name, name)
	case c.series[name] != nil:
		c.errs.Addf(t.Name.Pos, subject, "%q is a series, which has no rows to refer to", name)
	case !c.schema.Broken:
		known := slices.Concat(sortedKeys(baseTypes), sortedKeys(c.enums), sortedKeys(c.structs), sortedKeys(c.tables))
		c.errs.Addf(t.Name.Pos, subject, "unknown type %q%s", name, source.DidYouMean(name, known))
	}
	return Type{Kind: noKind}, false
}

var sizeForm = regexp.MustCompile(`^([1-9][0-9]*)(KiB|MiB)?$`)

// maxValue is the longest value that Redis stores.
const maxValue = 512 << 20

func (c *checker) max(subject string, t source.Text, f *Field) int64 {
	if f.Type.Kind != String && f.Type.Kind != Bytes {
		c.errs.Addf(t.Pos, subject, "max is for string and bytes")
		return 0
	}
	m := sizeForm.FindStringSubmatch(t.Value)
	if m == nil {
		c.errs.Addf(t.Pos, subject, "bad max %q (want bytes, or a number with KiB or MiB)", t.Value)
		return 0
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	unit := map[string]int64{"": 1, "KiB": 1 << 10, "MiB": 1 << 20}[m[2]]
	if err != nil || n > maxValue/unit {
		c.errs.Addf(t.Pos, subject, "max %s is more than Redis stores (512MiB)", t.Value)
		return 0
	}
	return n * unit
}

// capacity is 0 when the text is not given or is an error.
func (c *checker) capacity(subject string, t source.Text) int64 {
	if !t.Given() {
		return 0
	}
	n, err := strconv.ParseInt(t.Value, 10, 64)
	if err != nil || n <= 0 || strings.HasPrefix(t.Value, "+") {
		c.errs.Addf(t.Pos, subject, "bad capacity %q (want a number above 0)", t.Value)
		return 0
	}
	return n
}

// field finds a field of a list by name. What is an error already is not found,
// but is no second error either: a broken field, a bad name, a list that could
// not be read.
func (c *checker) field(subject string, name source.Text, fields []*Field) *Field {
	if !name.Given() {
		return nil
	}
	names := make([]string, len(fields))
	for i, f := range fields {
		if names[i] = f.Name; f.Name == name.Value {
			if c.broken[f] {
				return nil
			}
			return f
		}
	}
	if len(fields) > 0 && source.IsName(name.Value) {
		c.errs.Addf(name.Pos, subject, "no field %q%s", name.Value, source.DidYouMean(name.Value, names))
	}
	return nil
}

// recursion refuses structs that hold themselves.
func (c *checker) recursion() {
	const entered, done = 1, 2
	state := map[*Struct]int{}
	var path []*Struct
	var visit func(s *Struct)
	visit = func(s *Struct) {
		state[s] = entered
		path = append(path, s)
		for _, f := range s.Fields {
			t := f.Type
			if t.Elem != nil {
				t = *t.Elem
			}
			switch {
			case t.Struct == nil || state[t.Struct] == done:
			case state[t.Struct] == entered:
				ring := path[slices.Index(path, t.Struct):]
				names := make([]string, len(ring), len(ring)+1)
				for i, r := range ring {
					names[i] = r.Name
				}
				names = append(names, t.Struct.Name)
				c.errs.Addf(f.TypePos, fmt.Sprintf("struct %q", s.Name), "holds itself: %s", strings.Join(names, " -> "))
			default:
				visit(t.Struct)
			}
		}
		path = path[:len(path)-1]
		state[s] = done
	}
	for _, s := range c.pkg.Structs {
		if state[s] == 0 {
			visit(s)
		}
	}
}
