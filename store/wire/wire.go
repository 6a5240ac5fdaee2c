// Package wire is what emitted codecs are made of. It is promised to emitted
// code of one generation only, named by [V2]; people use the emitted types and
// package store.
//
// A value on the wire is a MessagePack map with named keys in schema order, an
// element of a series an array. Every value has exactly one canonical form:
// shortest headers, unsigned integers where they are not negative, sorted map
// keys, no absent field, unknown fields last.
//
// An emitted append function writes that form with one call of [Writer] a
// field. An emitted take function is one straight line that reads exactly that
// form and nothing else. What it does not recognise (another key order, other
// integer widths, nil, timestamps as text, JSON, hostile input) goes to the
// canonicaliser, which either yields the error, with path and offset, or
// rewrites the input into canonical form for the same straight line. So there
// is one place for every rule, and what both paths accept is the same by
// construction.
package wire

import "errors"

// V2 is named by emitted code of the second generation. Code that was emitted
// for another generation does not compile against this package.
const V2 = 2

// Limits that hold for every value, on reading and on writing.
const (
	MaxString  = 4 << 10 // Bytes of a string or bytes value without a max of its own, and of a map key.
	MaxDecimal = 64      // Bytes of the text of a decimal.
	MaxList    = 10_000  // Elements of a list, and entries of a map.
	MaxFields  = 4_096   // Fields of a row, known and unknown.
	MaxMessage = 1 << 20 // Bytes of a whole row or element.
	MaxDepth   = 32      // Levels of lists and maps inside of an unknown field.
)

// A Presence says what an empty list or map, or a zero id, means on the wire.
type Presence bool

const (
	Required Presence = false // Always on the wire, possibly empty.
	Optional Presence = true  // Absent when empty.
)

// The faults that an [*Error] wraps.
var (
	ErrTruncated = errors.New("input ends inside of a value")
	ErrTrailing  = errors.New("input goes on behind the value")
	ErrType      = errors.New("value of another type")
	ErrRange     = errors.New("number out of range")
	ErrNegative  = errors.New("negative timestamp")
	ErrNaN       = errors.New("neither NaN nor infinity can be stored")
	ErrDecimal   = errors.New("not a plain decimal number")
	ErrTimestamp = errors.New("not a timestamp")
	ErrUTF8      = errors.New("invalid UTF-8")
	ErrTooLong   = errors.New("longer than allowed")
	ErrTooDeep   = errors.New("nested too deeply")
	ErrMissing   = errors.New("required field is missing")
	ErrDuplicate = errors.New("duplicate key")
	ErrKey       = errors.New("map key is not a string")
	ErrExtra     = errors.New("value of Extra is not a sequence of unknown fields")
	ErrJSON      = errors.New("invalid JSON")
	ErrID        = errors.New("not the text of a composite id")
)

// errUnread is a defect of this package: the canonical form and take disagree.
var errUnread = errors.New("canonical form not understood")
