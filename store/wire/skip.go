package wire

import "encoding/binary"

// A token is the head of one MessagePack value.
type token struct {
	kind token_
	body int    // Offset of the bytes of a str, bin or ext, or of what a container holds.
	end  int    // Offset behind the token; of a container, behind its header.
	n    int    // Entries of a container.
	u    uint64 // Bits of a number; 1 is true.
	ext  int8
}

type token_ uint8

const (
	tokNil token_ = iota
	tokBool
	tokUint
	tokInt // Negative.
	tokFloat32
	tokFloat64
	tokStr
	tokBin
	tokExt
	tokArray
	tokMap
)

// tokenAt reads the token at offset i. It never reads behind b, and refuses
// lengths and counts that b has no bytes for.
func tokenAt(b []byte, i int) (token, error) {
	if i >= len(b) {
		return token{}, ErrTruncated
	}
	c := b[i]
	i++
	switch {
	case c < 0x80:
		return token{kind: tokUint, u: uint64(c), end: i}, nil
	case c < 0x90:
		return container(b, tokMap, i, uint64(c&0x0f))
	case c < 0xa0:
		return container(b, tokArray, i, uint64(c&0x0f))
	case c < 0xc0:
		return run(b, tokStr, i, uint64(c&0x1f))
	case c >= 0xe0:
		return token{kind: tokInt, u: uint64(int8(c)), end: i}, nil
	}
	size := int(sizes[c-0xc0])
	if size > len(b)-i {
		return token{}, ErrTruncated
	}
	u := bigEndian(b[i : i+size])
	i += size
	switch c {
	case 0xc0:
		return token{kind: tokNil, end: i}, nil
	case 0xc1:
		return token{}, ErrType
	case 0xc2, 0xc3:
		return token{kind: tokBool, u: uint64(c & 1), end: i}, nil
	case 0xc4, 0xc5, 0xc6:
		return run(b, tokBin, i, u)
	case 0xc7, 0xc8, 0xc9:
		return ext(b, i, u)
	case 0xca:
		return token{kind: tokFloat32, u: u, end: i}, nil
	case 0xcb:
		return token{kind: tokFloat64, u: u, end: i}, nil
	case 0xcc, 0xcd, 0xce, 0xcf:
		return token{kind: tokUint, u: u, end: i}, nil
	case 0xd0, 0xd1, 0xd2, 0xd3:
		shift := 64 - 8*size
		v := int64(u<<shift) >> shift
		if v >= 0 {
			return token{kind: tokUint, u: u, end: i}, nil
		}
		return token{kind: tokInt, u: uint64(v), end: i}, nil
	case 0xd4, 0xd5, 0xd6, 0xd7, 0xd8:
		return ext(b, i, 1<<(c-0xd4))
	case 0xd9, 0xda, 0xdb:
		return run(b, tokStr, i, u)
	case 0xdc, 0xdd:
		return container(b, tokArray, i, u)
	}
	return container(b, tokMap, i, u)
}

// sizes are the bytes of a number or length behind the first byte, from 0xc0.
var sizes = [32]uint8{
	0, 0, 0, 0, 1, 2, 4, 1, 2, 4, 4, 8, 1, 2, 4, 8,
	1, 2, 4, 8, 0, 0, 0, 0, 0, 1, 2, 4, 2, 4, 2, 4,
}

func bigEndian(b []byte) uint64 {
	switch len(b) {
	case 1:
		return uint64(b[0])
	case 2:
		return uint64(binary.BigEndian.Uint16(b))
	case 4:
		return uint64(binary.BigEndian.Uint32(b))
	case 8:
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

func run(b []byte, kind token_, i int, n uint64) (token, error) {
	if n > uint64(len(b)-i) {
		return token{}, ErrTruncated
	}
	return token{kind: kind, body: i, end: i + int(n), n: int(n)}, nil
}

func ext(b []byte, i int, n uint64) (token, error) {
	if i >= len(b) {
		return token{}, ErrTruncated
	}
	t, err := run(b, tokExt, i+1, n)
	t.ext = int8(b[i])
	return t, err
}

// container refuses a count that the input has too few bytes for: a value takes one at least.
func container(b []byte, kind token_, i int, n uint64) (token, error) {
	least := uint64(1)
	if kind == tokMap {
		least = 2
	}
	if n > uint64(len(b)-i)/least {
		return token{}, ErrTruncated
	}
	return token{kind: kind, body: i, end: i, n: int(n)}, nil
}

// skip returns the offset behind the value at offset i, which stands depth
// levels deep in an unknown field. An error comes with the offset of the bad token.
func skip(b []byte, i, depth int) (int, error) {
	t, err := tokenAt(b, i)
	if err != nil {
		return i, err
	}
	n := t.n
	switch t.kind {
	case tokMap:
		n *= 2
	case tokArray:
	default:
		return t.end, nil
	}
	if depth >= MaxDepth {
		return i, ErrTooDeep
	}
	i = t.end
	for range n {
		if i, err = skip(b, i, depth+1); err != nil {
			return i, err
		}
	}
	return i, nil
}
