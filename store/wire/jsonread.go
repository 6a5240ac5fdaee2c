package wire

import (
	"bytes"
	"math"
	"strconv"
	"strings"
)

// A jsonReader turns JSON into MessagePack that knows no schema; the
// canonicaliser does the rest. Numbers that are no integers become ext of type
// [extNumber] with their text, so that a decimal keeps its digits.
type jsonReader struct {
	src    []byte
	i      int
	dst    []byte
	depth  int
	tokens int // Written so far; at token number want the offset in src is at.
	want   int
	at     int
}

// looksLikeJSON tells JSON from MessagePack, where these bytes are integers.
func looksLikeJSON(b []byte) bool { return len(b) > 0 && (b[0] == '{' || b[0] == '[') }

// fromJSON appends the MessagePack form of the JSON value that src begins with
// to dst, and returns how many bytes of src it takes, space behind it included.
func fromJSON(dst, src []byte) ([]byte, int, *fault) {
	j := jsonReader{src: src, dst: dst, want: -1}
	if err := j.value(); err != nil {
		return j.dst, 0, bad(j.i, err)
	}
	j.space()
	return j.dst, j.i, nil
}

// jsonOffset returns the offset in src of what became the byte at offset of msg.
func jsonOffset(src, msg []byte, offset int) int {
	j := jsonReader{src: src, want: 0}
	for i := 0; i < offset; j.want++ {
		t, err := tokenAt(msg, i)
		if err != nil {
			break
		}
		i = t.end
	}
	_ = j.value()
	return j.at
}

// token notes that the next token comes from offset from of src.
func (j *jsonReader) token(from int) {
	if j.tokens == j.want {
		j.at = from
	}
	j.tokens++
}

func (j *jsonReader) space() {
	for j.i < len(j.src) && (j.src[j.i] == ' ' || j.src[j.i] == '\n' || j.src[j.i] == '\t' || j.src[j.i] == '\r') {
		j.i++
	}
}

// next skips space and returns the byte there, 0 at the end.
func (j *jsonReader) next() byte {
	j.space()
	if j.i < len(j.src) {
		return j.src[j.i]
	}
	return 0
}

// bad is the error at the reader's offset.
func (j *jsonReader) bad() error {
	if j.i >= len(j.src) {
		return ErrTruncated
	}
	return ErrJSON
}

// expect reads one byte of punctuation.
func (j *jsonReader) expect(c byte) error {
	if j.next() != c {
		return j.bad()
	}
	j.i++
	return nil
}

func (j *jsonReader) value() error {
	switch c := j.next(); {
	case c == '{':
		return j.object()
	case c == '[':
		return j.array()
	case c == '"':
		from := j.i
		s, err := j.str()
		if err != nil {
			return err
		}
		j.token(from)
		j.dst = appendStr(j.dst, s)
		return nil
	case c == '-' || c >= '0' && c <= '9':
		return j.number()
	}
	j.token(j.i)
	for _, w := range [...]struct {
		word string
		code byte
	}{{"true", 0xc3}, {"false", 0xc2}, {"null", 0xc0}} {
		switch rest := j.src[j.i:]; {
		case bytes.HasPrefix(rest, []byte(w.word)):
			j.i += len(w.word)
			j.dst = append(j.dst, w.code)
			return nil
		case strings.HasPrefix(w.word, string(rest[:min(len(rest), len(w.word))])):
			return ErrTruncated
		}
	}
	return j.bad()
}

func (j *jsonReader) number() error {
	end, integer := numberEnd(j.src, j.i)
	text := j.src[j.i:end]
	switch {
	case len(text) == 0 && len(bytes.Trim(j.src[j.i:], "+-.0123456789Ee")) == 0:
		return ErrTruncated
	case len(text) == 0:
		return ErrJSON
	}
	j.token(j.i)
	j.i = end
	if integer && string(text) != "-0" {
		if v, err := strconv.ParseInt(string(text), 10, 64); err == nil {
			j.dst = appendInt(j.dst, v)
			return nil
		}
		if v, err := strconv.ParseUint(string(text), 10, 64); err == nil {
			j.dst = appendUint(j.dst, v)
			return nil
		}
	}
	j.dst = appendExt(j.dst, extNumber, text)
	return nil
}

func appendExt(b []byte, kind int8, body []byte) []byte {
	switch n := len(body); {
	case n == 1 || n == 2 || n == 4 || n == 8 || n == 16:
		code := byte(0xd4)
		for n > 1 {
			n /= 2
			code++
		}
		b = append(b, code, byte(kind))
	case n < 1<<8:
		b = append(b, 0xc7, byte(n), byte(kind))
	case n < 1<<16:
		b = append(b, 0xc8, byte(n>>8), byte(n), byte(kind))
	default:
		b = append(b, 0xc9, byte(n>>24), byte(n>>16), byte(n>>8), byte(n), byte(kind))
	}
	return append(b, body...)
}

// maxJSONDepth leaves room for the levels of a row around those of an unknown field.
const maxJSONDepth = 2 * MaxDepth

// open begins a container and returns where its header goes.
func (j *jsonReader) open() (at int, err error) {
	if j.depth++; j.depth > maxJSONDepth {
		return 0, ErrTooDeep
	}
	j.token(j.i)
	j.i++
	at = len(j.dst)
	j.dst = append(j.dst, 0)
	return at, nil
}

// close writes the header of a container of n entries.
func (j *jsonReader) close(at, n int, fix, long byte) {
	j.depth--
	if n <= 15 {
		j.dst[at] = fix | byte(n)
		return
	}
	size := 2
	if n > math.MaxUint16 {
		size = 4
		long++
	}
	j.dst = append(j.dst, make([]byte, size)...)
	copy(j.dst[at+1+size:], j.dst[at+1:])
	j.dst[at] = long
	for k := range size {
		j.dst[at+1+k] = byte(n >> (8 * (size - 1 - k)))
	}
}

// list reads elements up to the closing bracket.
func (j *jsonReader) list(element func() error) (n int, err error) {
	if j.next() == ']' {
		j.i++
		return 0, nil
	}
	for {
		if err := element(); err != nil {
			return n, err
		}
		n++
		if j.next() == ']' {
			j.i++
			return n, nil
		}
		if err := j.expect(','); err != nil {
			return n, err
		}
	}
}

func (j *jsonReader) array() error {
	at, err := j.open()
	if err != nil {
		return err
	}
	n, err := j.list(j.value)
	if err != nil {
		return err
	}
	j.close(at, n, 0x90, 0xdc)
	return nil
}

func (j *jsonReader) object() error {
	from := j.i
	at, err := j.open()
	if err != nil {
		return err
	}
	if j.next() == '}' {
		j.i++
		j.close(at, 0, 0x80, 0xde)
		return nil
	}
	for n := 0; ; {
		if j.next() != '"' {
			return j.bad()
		}
		start := j.i
		key, err := j.str()
		if err != nil {
			return err
		}
		if err := j.expect(':'); err != nil {
			return err
		}
		if len(key) > 0 && key[0] == '$' {
			if len(key) < 2 || key[1] != '$' {
				if n > 0 {
					j.i = start
					return ErrJSON
				}
				j.depth--
				j.dst = j.dst[:at]
				return j.tagged(string(key), from)
			}
			key = key[1:]
		}
		j.token(start)
		j.dst = appendStr(j.dst, key)
		if err := j.value(); err != nil {
			return err
		}
		n++
		if j.next() == '}' {
			j.i++
			j.close(at, n, 0x80, 0xde)
			return nil
		}
		if err := j.expect(','); err != nil {
			return err
		}
	}
}
