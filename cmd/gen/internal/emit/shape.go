package emit

import "github.com/nacre-store/nacre/cmd/gen/internal/model"

// A shape is what a Go struct and its codec are printed for: a row, a struct
// of the schema or an element of a series.
type shape struct {
	Name   string // Go type.
	Wire   string // Name in errors: that of the table or series, or the Go type of a struct.
	Recv   string // Receiver; never b, m, r or w, which codecs use.
	Codec  string // Package variable that holds the codec.
	Stored bool   // Kept in Redis on its own: a row, an element of a series, list or hash. Others occur inside of these only.
	Array  bool   // On the wire an array (series elements), else a map.
	Doc    string
	Fields []*model.Field

	key    *model.Field // The field that is the whole key of a row, if any.
	idType string       // Its Go type.
}

func (n *names) tableShape(t *model.Table) shape {
	s := shape{
		Name: t.GoName, Wire: t.Name, Recv: receiver(t.GoName), Codec: n.codec(t),
		Stored: true, Doc: t.Doc, Fields: t.Fields,
	}
	if len(t.Key) == 1 {
		s.key, s.idType = t.Key[0], t.IDType
	}
	return s
}

func (n *names) structShape(t *model.Struct, stored bool) shape {
	return shape{
		Name: t.Name, Wire: t.Name, Recv: receiver(t.Name), Codec: n.codec(t),
		Stored: stored, Doc: t.Doc, Fields: t.Fields,
	}
}

func (n *names) seriesShape(t *model.Series) shape {
	return shape{
		Name: t.GoName, Wire: t.Name, Recv: receiver(t.GoName), Codec: n.codec(t),
		Stored: true, Array: true, Doc: t.Doc, Fields: t.Fields,
	}
}

// fieldType returns the Go type of a field of s. Optional numbers, bools and
// structs are store.Opt, since their zero value is a value; of all others the
// zero value is absence.
func (p *printer) fieldType(s shape, f *model.Field) string {
	if f == s.key {
		return s.idType
	}
	if t := p.goType(f.Type); opt(f) {
		return p.store("Opt") + "[" + t + "]"
	} else {
		return t
	}
}

// opt tells whether f is a store.Opt in Go.
func opt(f *model.Field) bool {
	if !f.Optional {
		return false
	}
	switch f.Type.Kind {
	case model.Bool, model.Int64, model.Float64, model.Decimal, model.StructKind:
		return true
	}
	return false
}

// goType returns the Go type of t, optional or not.
func (p *printer) goType(t model.Type) string {
	switch t.Kind {
	case model.Bool:
		return "bool"
	case model.Int64:
		return "int64"
	case model.Float64:
		return "float64"
	case model.Decimal:
		return p.from(decimalPath, "Decimal")
	case model.Timestamp:
		return p.store("Timestamp")
	case model.Bytes:
		return "[]byte"
	case model.EnumKind:
		return t.Enum.Name
	case model.StructKind:
		return t.Struct.Name
	case model.Reference:
		return t.Table.IDType
	case model.List:
		return "[]" + p.goType(*t.Elem)
	case model.Map:
		return "map[string]" + p.goType(*t.Elem)
	}
	return "string"
}

// An idForm is how an id is held in Go and written: as a string, as an
// integer, or as a struct that is written as one text.
type idForm uint8

const (
	stringID idForm = iota
	intID
	textID
)

// idFormOf returns the form of t's ids; a key that is a reference has the form of what it refers to.
func idFormOf(t *model.Table) idForm {
	if len(t.Key) > 1 {
		return textID
	}
	return keyForm(t.Key[0].Type)
}

// keyForm returns the form of an id of type t: string, int64, enum or reference.
func keyForm(t model.Type) idForm {
	switch t.Kind {
	case model.Int64:
		return intID
	case model.Reference:
		return idFormOf(t.Table)
	}
	return stringID
}
