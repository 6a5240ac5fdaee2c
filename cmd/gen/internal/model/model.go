// Package model is the checked schema: immutable, without YAML and without Go
// text. [Check] makes it of what package source has read and finds every user
// error on the way, so that package emit cannot fail on user input:
//
//	pkg, err := model.Load(dir, display, goPackage)
//	lock, changes, err := model.NextLock(pkg, lockPath, oldLock, allowBreaking)
//
// An error of either is a [go/scanner.ErrorList]; print it with
// [go/scanner.PrintError]. [Fingerprint] is of the lock's bytes.
package model

import (
	"go/token"
	"time"
)

// A Package is one schema folder, which becomes one Go package.
type Package struct {
	Name    string  // Go package name.
	Source  string  // The schema folder as headers name it, slash separated.
	Enums   []*Enum // In the order of files and in them, as all of these.
	Structs []*Struct
	Tables  []*Table
	Series  []*Series

	places places // Of everything that a lock holds.
}

// An Enum is a closed list of words. Readers keep a word that they don't know.
type Enum struct {
	Name   string // Go name, as in the schema.
	Doc    string // Lines joined by "\n", without comment signs.
	Values []string
	Pos    token.Position
}

// A Struct is a value that lives inside a row, a list, a hash or a map.
type Struct struct {
	Name     string
	Doc      string
	Fields   []*Field
	Reserved []string
	Pos      token.Position
}

// A Field is one wire field of a table, a struct or a series.
type Field struct {
	Name     string // Wire name, snake case.
	GoName   string
	Doc      string
	Type     Type
	Optional bool
	Max      int64 // Longest string or bytes value, in bytes; 0 is the wire's default.
	Pos      token.Position
	TypePos  token.Position
}

// Kind tells what a [Type] is.
type Kind uint8

// The kinds of a type, the closed set of the schema language.
const (
	String Kind = iota
	Bool
	Int64
	Float64
	Decimal
	Timestamp
	Bytes
	EnumKind   // Type.Enum
	StructKind // Type.Struct
	Reference  // Type.Table: that table's id type
	List       // Type.Elem, which is no list and no map
	Map        // Type.Elem, which is no list and no map; string keys
)

// A Type is the type of a field or of an element of a list or map.
type Type struct {
	Kind   Kind
	Enum   *Enum
	Struct *Struct
	Table  *Table
	Elem   *Type
}

// A Table is one kind of row.
type Table struct {
	Name        string // Type word of the keys.
	Plural      string // Snake case.
	GoName      string // Row type.
	GoPlural    string // Repository type.
	Doc         string
	Key         []*Field // One field, or the parts of a composite key in order.
	IDType      string   // Go name of the id type: of the key field, of the referenced table, of the enum, or GoName + "ID" for a composite key.
	Fields      []*Field
	TTL         time.Duration // Tables without states; 0 is none.
	KeptBy      []StateRef
	Holds       []Hold // The other side of KeptBy, derived by the checker.
	Collections []*Collection
	States      *States // nil for a table without states.
	Indexes     []*Index
	Reserved    []string
	File        string // Base name of the schema file, for the header.
	Pos         token.Position
}

// StateRef names a state of a table.
type StateRef struct {
	Table *Table
	State *State
}

// A Hold says: a row in State that refers through Field to a row of Table
// keeps that row from expiring.
type Hold struct {
	State *State
	Field *Field
	Table *Table
}

// States divides the rows of a table by the value of an enum field: disjoint
// and exhaustive.
type States struct {
	By   *Field
	List []*State
}

// A State is a named set of values with a time to live.
type State struct {
	Name   string
	Doc    string
	Values []string
	TTL    time.Duration // 0 is none.
	Pos    token.Position
}

// An Index lists the ids of the rows in State, of the rows whose Field has a
// value, or of the rows for which both hold.
type Index struct {
	Name   string
	GoName string
	Doc    string
	State  *State
	Field  *Field
	Pos    token.Position
}

// A Collection is a list or a hash of structs that belongs to a row.
type Collection struct {
	Name     string
	GoName   string
	Doc      string
	Hash     bool // else a list
	Struct   *Struct
	ID       *Field // List: the field of Struct by which a repeated append is found.
	Count    *Field // List: the field of the row that counts the elements ever appended; may be nil.
	Capacity int64  // List: 0 is unbounded.
	Pos      token.Position
}

// A Series is a capped list of elements under one key, such as ticks.
type Series struct {
	Name     string
	GoName   string // Element type.
	GoPlural string
	Doc      string
	KeyName  string // Schema name of the key, which is not a field.
	KeyDoc   string
	KeyType  Type   // String, Int64, EnumKind or Reference.
	IDType   string // Go name of the key's type: the referenced id type, or a string or int64 type named after KeyName.
	Capacity int64
	Fields   []*Field
	Reserved []string
	File     string
	Pos      token.Position
}
