package store

import (
	"strconv"
	"time"

	"github.com/nacre-store/nacre/store/internal/meta"
	"github.com/nacre-store/nacre/store/internal/write"
	"github.com/nacre-store/nacre/store/wire"
)

// A Table describes one kind of row. Emitted code holds one literal for each
// table and calls its methods; people use the emitted repositories.
type Table[K comparable, V any] struct {
	Name   string // Type word of the keys.
	Codec  *wire.Codec[V]
	Key    Key[K]
	ID     func(*V) K
	TTL    time.Duration   // Of tables without states; 0 is none.
	State  func(*V) string // The value that decides the state; nil without states.
	States []State
	// Indexes list ids; see [Index].
	Indexes []Index[V]
	// Holds name the rows of other tables that a row of this one keeps.
	Holds []Hold[V]
	// KeptBy names the "table.state" pairs whose rows keep a row of this
	// table: it has no expiry while one of them refers to it.
	KeptBy      []string
	Collections []Collection
}

// A State is a set of values of the deciding field with its time to live.
type State struct {
	Name   string
	Values []string
	TTL    time.Duration // 0 is none.
}

// An Index lists the ids of the rows in State, of the rows whose Field is not
// empty, or, with both, of the rows for which both hold.
type Index[V any] struct {
	Name  string
	State string
	By    string // The name of Field.
	Field func(*V) string
}

// A Hold says that a row in State keeps the row of Table to which Ref refers
// from expiring.
type Hold[V any] struct {
	Table string
	State string
	Ref   func(*V) string
}

// A Collection is a list or a hash that belongs to the rows of a table: a
// [ListTable] or a [HashTable].
type Collection interface{ collection() collection }

type collection struct {
	name     string
	list     bool
	capacity int64
}

// A ListTable describes a list of elements that belongs to a row.
type ListTable[K comparable, V, E any] struct {
	Name  string
	Codec *wire.Codec[E]
	// ID returns the element's identity: an element whose id is in the list
	// already is not appended again.
	ID func(*E) string
	// Count returns the number of elements that the row says were ever
	// appended; nil, or false, means unchecked.
	Count    func(*V) (int64, bool)
	Capacity int64 // 0 is unbounded.
}

func (l *ListTable[K, V, E]) collection() collection { return collection{l.Name, true, l.Capacity} }

// A HashTable describes a hash of values that belongs to a row.
type HashTable[K comparable, V, E any] struct {
	Name  string
	Codec *wire.Codec[E]
}

func (h *HashTable[K, V, E]) collection() collection { return collection{h.Name, false, 0} }

// A SeriesTable describes a capped list under a key of its own.
type SeriesTable[K comparable, E any] struct {
	Name     string
	Codec    *wire.Codec[E]
	Key      Key[K]
	Capacity int64
}

// A Schema is an emitted package as [Config] takes it.
type Schema struct {
	Name        string
	Fingerprint string // Of the locked schema.
	Tables      []Described
}

// Described is a [Table] or a [SeriesTable].
type Described interface {
	describe() description
	// reader returns what reads facts out of stored rows on a store. A row in
	// a state that is not known here is an error: of it, nothing follows.
	reader(*Store) func(id string, row []byte) (write.Facts, error)
}

type description struct {
	name        string
	series      bool
	capacity    int64
	ttl         time.Duration
	states      []State
	collections []collection
	indexes     []meta.Index
	keptBy      []string
}

func (t *Table[K, V]) describe() description {
	d := description{name: t.Name, ttl: t.TTL, states: t.States, keptBy: t.KeptBy}
	for _, c := range t.Collections {
		d.collections = append(d.collections, c.collection())
	}
	for _, i := range t.Indexes {
		d.indexes = append(d.indexes, meta.Index{Name: i.Name, State: i.State, By: i.By})
	}
	return d
}

func (t *Table[K, V]) reader(s *Store) func(string, []byte) (write.Facts, error) {
	b := bind(s, t)
	return func(id string, row []byte) (write.Facts, error) {
		v, err := b.decode(id, row)
		if err == nil {
			err = b.inState(id, &v)
		}
		if err != nil {
			return write.Facts{}, err
		}
		return b.facts(&v), nil
	}
}

func (s *SeriesTable[K, E]) reader(*Store) func(string, []byte) (write.Facts, error) { return nil }

func (s *SeriesTable[K, E]) describe() description {
	return description{name: s.Name, series: true, capacity: s.Capacity}
}

// A Key turns ids into the text that keys carry, and back: a [StringKey], an
// [IntKey] or a [TextKey].
type Key[K comparable] interface {
	text(K) string
	parse(string) (K, error)
	plain(K) (string, bool)       // The text, where that needs no allocation.
	append(b []byte, id K) []byte // The text.
}

// StringKey is the [Key] of ids that are strings.
type StringKey[K ~string] struct{}

func (StringKey[K]) text(id K) string             { return string(id) }
func (StringKey[K]) parse(s string) (K, error)    { return K(s), nil }
func (StringKey[K]) plain(id K) (string, bool)    { return string(id), true }
func (StringKey[K]) append(b []byte, id K) []byte { return append(b, string(id)...) }

// IntKey is the [Key] of ids that are integers, in decimal digits.
type IntKey[K ~int64] struct{}

func (IntKey[K]) text(id K) string { return strconv.FormatInt(int64(id), 10) }
func (IntKey[K]) parse(s string) (K, error) {
	n, err := strconv.ParseInt(s, 10, 64)
	return K(n), err
}
func (IntKey[K]) plain(K) (string, bool)       { return "", false }
func (IntKey[K]) append(b []byte, id K) []byte { return strconv.AppendInt(b, int64(id), 10) }

// TextKey is the [Key] of composite ids, which emitted code gives a text form.
type TextKey[K interface {
	comparable
	String() string
	AppendText([]byte) ([]byte, error)
}, P interface {
	*K
	UnmarshalText([]byte) error
}] struct{}

func (TextKey[K, P]) text(id K) string       { return id.String() }
func (TextKey[K, P]) plain(K) (string, bool) { return "", false }

func (TextKey[K, P]) append(b []byte, id K) []byte {
	b, _ = id.AppendText(b)
	return b
}

func (TextKey[K, P]) parse(s string) (K, error) {
	var id K
	err := P(&id).UnmarshalText([]byte(s))
	return id, err
}
