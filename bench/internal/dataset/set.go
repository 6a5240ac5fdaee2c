package dataset

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"hash/maphash"
	"sync"
	"unsafe"

	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/store"
)

// Table is one of the tables whose rows are read and written.
type Table uint8

// The tables.
const (
	Order Table = iota
	Position
	Account
	Instrument
	tables
)

func (t Table) String() string { return [...]string{"order", "position", "account", "instrument"}[t] }

// stamp is the timestamp field in which the bench counts a row's versions: ts_last, where the table has it.
func (t Table) stamp() string {
	if t == Instrument {
		return "\xa7ts_init\xcf"
	}
	return "\xa7ts_last\xcf"
}

// A Set is the rows of one keyspace, in the order in which they were loaded.
type Set struct {
	Prefix string
	Bytes  int64 // Of all rows.
	Events int64 // List elements, hash values and companion rows loaded beside the rows.
	Count  [tables]int

	arena arena
	rows  []row
	state []version
	locks [512]sync.Mutex
	seed  maphash.Seed
}

type row struct {
	key, data ref
	hash      uint64
	stamp     uint32 // Offset of the version's eight bytes.
	table     Table
}

// New is an empty set of keys under the prefix.
func New(prefix string) *Set { return &Set{Prefix: prefix, seed: maphash.MakeSeed()} }

// Len is the number of rows.
func (s *Set) Len() int { return len(s.rows) }

// Free gives the memory back; no row of the set may be in use.
func (s *Set) Free() error {
	s.rows = nil
	return s.arena.free()
}

// add takes a row's canonical bytes.
func (s *Set) add(t Table, id string, data []byte) error {
	at := bytes.Index(data, []byte(t.stamp()))
	if at < 0 {
		return fmt.Errorf("%s %s has no %q", t, id, t.stamp()[1:8])
	}
	key, err := s.arena.put([]byte(s.Prefix + "-" + t.String() + ":" + id))
	if err != nil {
		return err
	}
	kept, err := s.arena.put(data)
	if err != nil {
		return err
	}
	s.rows = append(s.rows, row{key, kept, maphash.Bytes(s.seed, data), uint32(at + len(t.stamp())), t})
	s.state = append(s.state, version{})
	s.Bytes += int64(len(data))
	s.Count[t]++
	return nil
}

// Table of a row.
func (s *Set) Table(i int) Table { return s.rows[i].table }

// Key of a row in Redis. The string lives as long as the set.
func (s *Set) Key(i int) string {
	b := s.arena.at(s.rows[i].key)
	return unsafe.String(unsafe.SliceData(b), len(b))
}

// ID of a row.
func (s *Set) ID(i int) string { return s.Key(i)[len(s.Prefix)+len(s.rows[i].table.String())+2:] }

// Data is a row as it was loaded. It must not be changed.
func (s *Set) Data(i int) []byte { return s.arena.at(s.rows[i].data) }

// Base is the timestamp of version 0.
func (s *Set) Base(i int) store.Timestamp {
	return store.Timestamp(binary.BigEndian.Uint64(s.Data(i)[s.rows[i].stamp:]))
}

// AppendVersion appends the row's bytes with another version.
func (s *Set) AppendVersion(b []byte, i int, v uint32) []byte {
	at := len(b)
	b = append(b, s.Data(i)...)
	binary.BigEndian.PutUint64(b[at+int(s.rows[i].stamp):], uint64(s.Base(i))+uint64(v))
	return b
}

// CheckBytes checks that data is a version of the row that a read begun at floor may see.
func (s *Set) CheckBytes(i int, data []byte, floor uint32) error {
	at := int(s.rows[i].stamp)
	if len(data) != int(s.rows[i].data.length) {
		return fmt.Errorf("%w: %s has %d bytes, %d were written", load.ErrMismatch, s.Key(i), len(data), s.rows[i].data.length)
	}
	v := binary.BigEndian.Uint64(data[at:]) - uint64(s.Base(i))
	binary.BigEndian.PutUint64(data[at:], uint64(s.Base(i)))
	return s.check(i, data, v, floor)
}

// CheckRow is CheckBytes for a row that was decoded and encoded again with the timestamp of version 0; stamp is
// what it was read with.
func (s *Set) CheckRow(i int, data []byte, stamp store.Timestamp, floor uint32) error {
	return s.check(i, data, uint64(stamp-s.Base(i)), floor)
}

func (s *Set) check(i int, data []byte, v uint64, floor uint32) error {
	if maphash.Bytes(s.seed, data) != s.rows[i].hash {
		return fmt.Errorf("%w: %s is not what was written", load.ErrMismatch, s.Key(i))
	}
	if _, newest := s.Versions(i); v < uint64(floor) || v > uint64(newest) {
		return fmt.Errorf("%w: %s has version %d, want %d to %d", load.ErrMismatch, s.Key(i), v, floor, newest)
	}
	return nil
}

// A version tells which writes of a row may be the one that is stored.
type version struct {
	newest   uint32 // Last version that was sent.
	floor    uint32 // No read that begins now may see an older one.
	group    uint32 // The first of the writes that overlap with one under way.
	underway uint32
}

// BeginWrite counts a write and returns its version.
func (s *Set) BeginWrite(i int) uint32 {
	m := &s.locks[i%len(s.locks)]
	m.Lock()
	defer m.Unlock()
	v := &s.state[i]
	v.newest++
	if v.underway == 0 {
		v.group = v.newest
	}
	v.underway++
	return v.newest
}

// EndWrite tells that the write was acknowledged. A write that failed may have been applied or not: it is never
// ended, and the row's floor stays where it is.
func (s *Set) EndWrite(i int) {
	m := &s.locks[i%len(s.locks)]
	m.Lock()
	defer m.Unlock()
	v := &s.state[i]
	if v.underway--; v.underway == 0 {
		v.floor = v.group // Of writes that overlapped any may be the last.
	}
}

// Versions are the oldest and newest that a read beginning now may see.
func (s *Set) Versions(i int) (floor, newest uint32) {
	m := &s.locks[i%len(s.locks)]
	m.Lock()
	defer m.Unlock()
	return s.state[i].floor, s.state[i].newest
}
