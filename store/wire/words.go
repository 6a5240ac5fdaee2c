package wire

import (
	"encoding/binary"
	"unicode/utf8"
)

var (
	le = binary.LittleEndian
	be = binary.BigEndian
)

// Strings on the wire are short: keys, ids and words of enums. The functions
// here copy and compare them eight bytes at a time, the last eight possibly
// once more.

// highBits are the bits that no ASCII text has.
const highBits = 0x8080808080808080

// word returns the eight bytes of s at i.
func word(s string, i int) uint64 {
	s = s[i : i+8]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// half returns the four bytes of s at i.
func half(s string, i int) uint32 {
	s = s[i : i+4]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// load and store are word for bytes. The third index says that something is
// behind the first: it saves the compiler the case of an empty rest.
func load(b []byte, i int) uint64      { return le.Uint64(b[i : i+8 : i+8]) }
func load4(b []byte, i int) uint32     { return le.Uint32(b[i : i+4 : i+4]) }
func store(b []byte, i int, w uint64)  { le.PutUint64(b[i:i+8:i+8], w) }
func store4(b []byte, i int, w uint32) { le.PutUint32(b[i:i+4:i+4], w) }

// isASCII tells whether s is ASCII.
func isASCII(s []byte) bool {
	n, high := len(s), uint64(0)
	if n < 8 {
		for _, c := range s {
			high |= uint64(c)
		}
		return high < 0x80
	}
	for i := 0; i < n-8; i += 8 {
		high |= load(s, i)
	}
	return (high|load(s, n-8))&highBits == 0
}

// isText tells whether s is UTF-8; mostly it is short ASCII.
func isText(s []byte) bool { return isASCII(s) || utf8.Valid(s) }
