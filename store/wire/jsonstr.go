package wire

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// str reads a string in quotes.
func (j *jsonReader) str() ([]byte, error) {
	j.i++
	from := j.i
	for j.i < len(j.src) && j.src[j.i] != '"' && j.src[j.i] != '\\' && j.src[j.i] >= 0x20 {
		j.i++
	}
	s := j.src[from:j.i]
	if j.i < len(j.src) && j.src[j.i] == '\\' {
		var err error
		if s, err = j.escaped(from); err != nil {
			return nil, err
		}
	}
	if j.i >= len(j.src) || j.src[j.i] != '"' {
		return nil, j.bad()
	}
	if !utf8.Valid(s) {
		j.i = from
		return nil, ErrUTF8
	}
	j.i++
	return s, nil
}

// escaped reads a string with escapes, up to its closing quote.
func (j *jsonReader) escaped(from int) ([]byte, error) {
	s := append([]byte(nil), j.src[from:j.i]...)
	for j.i < len(j.src) && j.src[j.i] != '"' && j.src[j.i] >= 0x20 {
		c := j.src[j.i]
		if c != '\\' {
			s = append(s, c)
			j.i++
			continue
		}
		if j.i+1 >= len(j.src) {
			j.i++
			return nil, ErrTruncated
		}
		switch c := j.src[j.i+1]; c {
		case '"', '\\', '/':
			s = append(s, c)
		case 'b':
			s = append(s, '\b')
		case 'f':
			s = append(s, '\f')
		case 'n':
			s = append(s, '\n')
		case 'r':
			s = append(s, '\r')
		case 't':
			s = append(s, '\t')
		case 'u':
			r, ok := j.unit(j.i)
			if ok && utf16.IsSurrogate(r) {
				low, _ := j.unit(j.i + 6)
				if r = utf16.DecodeRune(r, low); r == utf8.RuneError {
					ok = false
				}
				j.i += 6
			}
			switch {
			case !ok && bytes.IndexByte(j.src[j.i:], '"') < 0:
				return nil, ErrTruncated
			case !ok:
				return nil, ErrJSON
			}
			s = utf8.AppendRune(s, r)
			j.i += 4
		default:
			return nil, ErrJSON
		}
		j.i += 2
	}
	return s, nil
}

// unit reads \uXXXX at offset i.
func (j *jsonReader) unit(i int) (rune, bool) {
	if i+6 > len(j.src) || j.src[i] != '\\' || j.src[i+1] != 'u' {
		return 0, false
	}
	v, err := strconv.ParseUint(string(j.src[i+2:i+6]), 16, 16)
	return rune(v), err == nil
}
