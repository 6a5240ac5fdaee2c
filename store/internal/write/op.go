// Package write turns changes into Redis commands and reads what became of
// them. Every write of the store goes through [Executor.Do].
//
// The sequences keep one promise for indexes: they are supersets. A row is
// listed in every index that it belongs to at every instant, whoever writes;
// an index may hold an id too much, and readers check the row itself.
package write

import (
	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/internal/key"
)

// A Table is what the commands need to know of a table.
type Table struct {
	Name        string
	Base        string // of the keys of its rows, or of a series: the id follows
	Indexes     []Index
	Collections []Collection
	Kept        bool // some rows of other tables keep a row of this one from expiring
	Keeps       bool // rows of this table keep rows of others
	// Facts reads what a stored row said. It is asked for the bytes that a
	// write has replaced.
	Facts func(row []byte) (Facts, error)
}

// An Index of a table. Field tells whether it has one set for each value.
type Index struct {
	Name  string
	Field bool
}

// A Collection of a table.
type Collection struct {
	Name     string
	List     bool
	Capacity int64
}

// Facts are what a row says about its place in indexes and holds.
type Facts struct {
	// In has an element for each index: whether the row is listed, and for an
	// index with a field under which value. A row that is not listed for its
	// state still names its value, so that it leaves that set.
	In []Place
	// Refs are the rows of other tables that this row refers to by a hold.
	Refs []Ref
}

// A Place is a row's membership in one index.
type Place struct {
	Value  string // of an index with a field; "" is not indexed
	Listed bool
}

// A Ref is a row of another table. Active says that the referring row is in
// the state that keeps it.
type Ref struct {
	Table, ID string
	Active    bool
	TTL       int64 // ms that the row of Table lives once nobody keeps it; 0 is for ever
}

// Kind is what an [Op] does.
type Kind uint8

// The kinds.
const (
	Put Kind = iota
	Delete
	Append     // elements to a list, with the row in the same step
	Clear      // a list
	HashPut    // one field
	HashDelete // fields
	SeriesAppend
)

// An Op is one change of one row, of a collection of it, or of a series.
type Op struct {
	Kind  Kind
	NS    key.Namespace
	Table *Table
	ID    string

	Row    []byte // Put, Append
	Expire int64  // Put, Append: absolute server time in ms; 0 is never
	Facts  Facts  // Put, Append

	Part     string // the list, hash
	Elems    []Elem // Append, HashPut, SeriesAppend; HashDelete uses the ids
	Count    int64  // Append: elements ever appended, these included; -1 is unchecked
	Capacity int64  // Append, SeriesAppend; 0 is unbounded
}

// An Elem is an element with its identity: the event id of a list, the field
// of a hash.
type Elem struct {
	ID    string
	Value []byte
}

// A Result is what became of an op.
type Result struct {
	Err error
	// Duplicate: an append has not written its row, as all its elements were in
	// the list already, or as a later append of the same step has.
	Duplicate bool
	// Old are the bytes that a Put, Append or Delete replaced; nil is none.
	Old []byte
}

// Errors of results, beside those that package conn classifies.
var (
	// ErrConflict: a check failed; nothing was written.
	ErrConflict error = conn.Definite("changed by somebody else")
	// ErrAbsent: the row that the op needs does not exist; nothing was written.
	ErrAbsent error = conn.Definite("no such row")
	// ErrPartial: a command of an atomic step failed while others were applied.
	ErrPartial error = conn.Definite("applied in part")
)

// RowKey returns the key of the row, or of the series.
func (o *Op) RowKey() string { return o.Table.Base + o.ID }

// WritesRow tells whether the op writes or deletes the row itself.
func (o *Op) WritesRow() bool { return o.Kind == Put || o.Kind == Append || o.Kind == Delete }

func (o *Op) partKey(part string) string { return o.NS.Base(o.Table.Name, part) + o.ID }

// PartKey returns the key of the list or hash that the op is about; "" for an
// op on the row alone.
func (o *Op) PartKey() string {
	if o.Part == "" {
		return ""
	}
	return o.partKey(o.Part)
}

// Removes tells whether the op removes the list or hash under the key.
func (o *Op) Removes(key string) bool {
	switch o.Kind {
	case Clear:
		return o.PartKey() == key
	case Delete:
		for _, c := range o.Table.Collections {
			if o.partKey(c.Name) == key {
				return true
			}
		}
	}
	return false
}

// Seen is the part under which the ids of a list's elements are kept.
func Seen(list string) string { return seen + list }

const seen = "seen_"

// Held is the part under which a row's keepers are kept.
const Held = "held"

// IDs is the part that lists every row of a table.
const IDs = "ids"
