package wire

import "sync/atomic"

// A kind is what a value is on the wire and in Go.
type kind uint8

const (
	kindString kind = iota
	kindBool
	kindInt
	kindIntID // An optional one of 0 is absent.
	kindFloat
	kindDecimal
	kindTimestamp
	kindBytes
	kindText
	kindStruct
	kindList
	kindMap
)

// A layout is what the canonicaliser knows of a row, struct or element. Nobody
// writes it down: take tells it, see [learner].
type layout struct {
	array    bool
	required int // Fields that must be there.
	fields   []*field
	slots    []uint8               // Hash of a name to 1 + the number of its field, for at most 255 fields.
	first    atomic.Pointer[field] // The field that came first in a foreign input lately.
}

// A field is one field of a layout.
type field struct {
	name string
	key  string // Header and name, as on the wire.
	opt  bool
	n    int                   // Its place among the fields of the layout.
	next atomic.Pointer[field] // The field that followed this one in a foreign input lately.
	shape
}

// A shape is the type of a value.
type shape struct {
	kind   kind
	max    int
	text   func([]byte) (canonical string, zero bool, err error) // kindText
	elem   *shape                                                // kindList, kindMap
	layout *layout                                               // kindStruct
}

// zeroIsAbsent tells whether an optional value of shape s is absent when it is
// empty or 0. Of other kinds the zero value is a value.
func (s *shape) zeroIsAbsent() bool {
	switch s.kind {
	case kindString, kindIntID, kindTimestamp, kindBytes, kindText, kindList, kindMap:
		return true
	}
	return false
}

// A learner is told the layout by a take function that runs on no input: every
// Take function calls it where it would otherwise find the input wanting.
type learner struct {
	open_ []*layout
	at    *shape // Where the next kind belongs.
	root  *layout
}

// open begins the layout of a struct.
func (l *learner) open(array bool) {
	n := &layout{array: array}
	if l.at == nil {
		l.root = n
	} else {
		l.at.kind, l.at.layout = kindStruct, n
	}
	l.open_ = append(l.open_, n)
}

// close ends it.
func (l *learner) close() {
	last := len(l.open_) - 1
	l.open_[last].index()
	l.open_ = l.open_[:last]
}

// field adds a field to the innermost struct; its kind follows.
func (l *learner) field(key string, opt bool) bool {
	name := key[1:]
	if key[0] == 0xd9 {
		name = key[2:]
	}
	in := l.open_[len(l.open_)-1]
	f := &field{name: name, key: key, opt: opt, n: len(in.fields)}
	in.fields = append(in.fields, f)
	if !opt {
		in.required++
	}
	l.at = &f.shape
	return true
}

func (l *learner) value(k kind, max int) { l.at.kind, l.at.max = k, max }

func (l *learner) text(f func([]byte) (string, bool, error)) { l.at.text = f }

func (l *learner) list() { l.of(kindList) }

func (l *learner) mapOf() { l.of(kindMap) }

func (l *learner) of(k kind) {
	l.at.kind, l.at.elem = k, &shape{}
	l.at = l.at.elem
}

// index makes slots for find.
func (l *layout) index() {
	if len(l.fields) > 255 {
		return
	}
	size := 16
	for size < 4*len(l.fields) {
		size *= 2
	}
	l.slots = make([]uint8, size)
	for i, f := range l.fields {
		h, mask := hash(f.name), uint32(size-1)
		for l.slots[h&mask] != 0 {
			h++
		}
		l.slots[h&mask] = uint8(i + 1)
	}
}

// find returns the number of the field with a name, or -1.
func (l *layout) find(name []byte) int {
	if l.slots == nil {
		for i, f := range l.fields {
			if f.name == string(name) {
				return i
			}
		}
		return -1
	}
	mask := uint32(len(l.slots) - 1)
	for h := hash(name); ; h++ {
		i := int(l.slots[h&mask])
		if i == 0 {
			return -1
		}
		if l.fields[i-1].name == string(name) {
			return i - 1
		}
	}
}

// hash mixes the length, the first and the last bytes of s.
func hash[S string | []byte](s S) uint32 {
	n := len(s)
	h := uint64(n)
	switch {
	case n >= 8:
		h ^= le.Uint64([]byte(s)) * 0x9e3779b97f4a7c15
		h ^= le.Uint64([]byte(s[n-8:])) * 0xc2b2ae3d27d4eb4f
	case n >= 4:
		h ^= uint64(le.Uint32([]byte(s)))<<32 | uint64(le.Uint32([]byte(s[n-4:])))
	default:
		for i := range n {
			h = h<<8 | uint64(s[i])
		}
	}
	return uint32(h * 0x9e3779b97f4a7c15 >> 32)
}
