package wire

import "encoding/binary"

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

// copyShort copies s, of at most 31 bytes, to b behind its first byte and tells
// whether it is ASCII.
func copyShort(b *[32]byte, s string) bool {
	n := len(s)
	switch {
	case n > 31:
		return false
	case n > 16:
		w1, w2, w3, w4 := word(s, 0), word(s, 8), word(s, n-16), word(s, n-8)
		store(b[:], 1, w1)
		store(b[:], 9, w2)
		store(b[:], n-15, w3)
		store(b[:], n-7, w4)
		return (w1|w2|w3|w4)&highBits == 0
	case n >= 8:
		w1, w2 := word(s, 0), word(s, n-8)
		store(b[:], 1, w1)
		store(b[:], n-7, w2)
		return (w1|w2)&highBits == 0
	case n >= 4:
		w1, w2 := half(s, 0), half(s, n-4)
		store4(b[:], 1, w1)
		store4(b[:], n-3, w2)
		return uint64(w1|w2)&highBits == 0
	case n > 0:
		c1, c2, c3 := s[0], s[n/2], s[n-1]
		b[1], b[1+n/2], b[n] = c1, c2, c3
		return c1|c2|c3 < 0x80
	}
	return true
}

// sameWords tells whether the n bytes of b from at on are s, and ASCII.
func sameWords(b []byte, at, n int, s string) bool {
	if n != len(s) {
		return false
	}
	switch {
	case n > 32:
		last := word(s, n-8)
		diff, high := last^load(b, at+n-8), last
		for i := 0; i < n-8; i += 8 {
			w := word(s, i)
			diff |= w ^ load(b, at+i)
			high |= w
		}
		return diff|high&highBits == 0
	case n > 16:
		w1, w2, w3, w4 := word(s, 0), word(s, 8), word(s, n-16), word(s, n-8)
		diff := (w1 ^ load(b, at)) | (w2 ^ load(b, at+8)) | (w3 ^ load(b, at+n-16)) | (w4 ^ load(b, at+n-8))
		return diff|(w1|w2|w3|w4)&highBits == 0
	case n >= 8:
		w1, w2 := word(s, 0), word(s, n-8)
		return (w1^load(b, at))|(w2^load(b, at+n-8))|(w1|w2)&highBits == 0
	case n >= 4:
		w1, w2 := half(s, 0), half(s, n-4)
		return (w1^load4(b, at))|(w2^load4(b, at+n-4))|(w1|w2)&(highBits>>32) == 0
	}
	diff, high := byte(0), byte(0)
	for i := range n {
		diff |= b[at+i] ^ s[i]
		high |= s[i]
	}
	return diff|high&0x80 == 0
}

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
