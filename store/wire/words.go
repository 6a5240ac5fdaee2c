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
	s = s[i:]
	_ = s[7]
	return uint64(s[0]) | uint64(s[1])<<8 | uint64(s[2])<<16 | uint64(s[3])<<24 |
		uint64(s[4])<<32 | uint64(s[5])<<40 | uint64(s[6])<<48 | uint64(s[7])<<56
}

// half returns the four bytes of s at i.
func half(s string, i int) uint32 {
	s = s[i:]
	_ = s[3]
	return uint32(s[0]) | uint32(s[1])<<8 | uint32(s[2])<<16 | uint32(s[3])<<24
}

// copyWords copies s to the beginning of b and tells whether it is ASCII.
func copyWords(b []byte, s string) bool {
	n := len(s)
	b = b[:n]
	switch {
	case n >= 8:
		last := word(s, n-8)
		high := last
		for i := 0; i < n-8; i += 8 {
			w := word(s, i)
			le.PutUint64(b[i:], w)
			high |= w
		}
		le.PutUint64(b[n-8:], last)
		return high&highBits == 0
	case n >= 4:
		a1, a2 := half(s, 0), half(s, n-4)
		le.PutUint32(b, a1)
		le.PutUint32(b[n-4:], a2)
		return uint64(a1|a2)&highBits == 0
	}
	high := byte(0)
	for i := range b {
		c := s[i]
		b[i] = c
		high |= c
	}
	return high < 0x80
}

// sameWords tells whether b is s and ASCII.
func sameWords(b []byte, s string) bool {
	n := len(b)
	if n != len(s) {
		return false
	}
	switch {
	case n >= 8:
		last := word(s, n-8)
		diff, high := last^le.Uint64(b[n-8:]), last
		for i := 0; i < n-8; i += 8 {
			w := word(s, i)
			diff |= w ^ le.Uint64(b[i:])
			high |= w
		}
		return diff|high&highBits == 0
	case n >= 4:
		a1, a2 := half(s, 0), half(s, n-4)
		return (le.Uint32(b)^a1)|(le.Uint32(b[n-4:])^a2)|(a1|a2)&(highBits>>32) == 0
	}
	diff, high := byte(0), byte(0)
	for i := range n {
		diff |= b[i] ^ s[i]
		high |= s[i]
	}
	return diff|high&0x80 == 0
}

// isASCII tells whether s is ASCII.
func isASCII(s []byte) bool {
	high := uint64(0)
	for len(s) >= 8 {
		high |= le.Uint64(s)
		s = s[8:]
	}
	for _, c := range s {
		high |= uint64(c)
	}
	return high&highBits == 0
}
