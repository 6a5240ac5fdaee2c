package source

import "go/token"

// A Schema is one schema folder as it was written.
type Schema struct {
	Path  string  // The folder as messages name it, slash separated.
	Files []*File // By name.

	// Broken tells that a file could not be read at all. Names that it would
	// have declared are then missing, and nobody should complain about them.
	Broken bool
}

// A File is one schema file: a table, a series, or shared enums and structs.
type File struct {
	Name    string // Base name.
	Enums   []*Enum
	Structs []*Struct
	Table   *Table
	Series  *Series
}

// A Text is a scalar with its position. YAML's typing is not applied: 007 is
// the text "007" and NO is the text "NO". An absent Text is the zero value.
type Text struct {
	Value string
	Pos   token.Position
}

// Given tells whether the text is in the file.
func (t Text) Given() bool { return t.Pos.IsValid() }

// An Enum is "Name: [VALUE, ...]".
type Enum struct {
	Name   Text
	Doc    string
	Values []Text
}

// A Struct is "Name: {field: type, ...}".
type Struct struct {
	Name     Text
	Doc      string
	Fields   []*Field
	Reserved []Text
}

// A Field is "name: type" or "name: {type: type, max: size}".
type Field struct {
	Name Text
	Doc  string
	Type *Type
	Max  Text
}

// A Type is a type expression: a name, list<elem> or map<elem>.
type Type struct {
	Text     Text // As written, for messages.
	Name     Text // The name, or "list" or "map".
	Elem     *Type
	Optional bool
}

// A Table is a file with the key "table".
type Table struct {
	Name        Text
	Doc         string
	Plural      Text
	Key         []Text
	KeyPos      token.Position
	TTL         Text
	KeptBy      []Text
	Fields      []*Field
	Collections []*Collection
	States      *States
	Indexes     []*Index
	Reserved    []Text
}

// A Collection is "name: {list: Struct, ...}" or "name: {hash: Struct}".
type Collection struct {
	Name     Text
	Doc      string
	Hash     bool
	Struct   Text
	ID       Text
	Count    Text
	Capacity Text
}

// States is "states: {by: field, name: {values: [...], ttl: ...}, ...}".
type States struct {
	Pos  token.Position
	By   Text
	List []*State
}

// A State is one entry of [States].
type State struct {
	Name   Text
	Doc    string
	Values []Text
	TTL    Text
}

// An Index is "name: {state: s, field: f}" with one of the two or both.
type Index struct {
	Name  Text
	Doc   string
	State Text
	Field Text
}

// A Series is a file with the key "series".
type Series struct {
	Name     Text
	Doc      string
	Key      Text
	KeyDoc   string
	KeyType  *Type
	Capacity Text
	Fields   []*Field
	Reserved []Text
}
