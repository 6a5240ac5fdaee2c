package wire

import (
	"encoding/base64"
	"math"
	"strconv"
)

// tagged reads the rest of an object of one tag; its token was noted.
func (j *jsonReader) tagged(tag string, from int) error {
	var err error
	switch tag {
	case tagBin, tagStr:
		var body []byte
		if body, err = j.base64(); err == nil && tag == tagBin {
			j.dst = appendBin(j.dst, body)
		} else if err == nil {
			j.dst = appendStr(j.dst, body)
		}
	case tagExt:
		err = j.ext()
	case tagFloat:
		err = j.float()
	case tagMap:
		err = j.pairs()
	default:
		j.i = from
		return ErrJSON
	}
	if err != nil {
		return err
	}
	return j.expect('}')
}

func (j *jsonReader) base64() ([]byte, error) {
	from := j.i
	if j.next() != '"' {
		return nil, j.bad()
	}
	s, err := j.str()
	if err != nil {
		return nil, err
	}
	b := make([]byte, base64.StdEncoding.DecodedLen(len(s)))
	n, err := base64.StdEncoding.Strict().Decode(b, s)
	if err != nil {
		j.i = from
		return nil, ErrJSON
	}
	return b[:n], nil
}

func (j *jsonReader) ext() error {
	if err := j.expect('['); err != nil {
		return err
	}
	j.space()
	end, _ := numberEnd(j.src, j.i)
	kind, err := strconv.ParseInt(string(j.src[j.i:end]), 10, 8)
	if err != nil {
		return j.bad()
	}
	j.i = end
	if err := j.expect(','); err != nil {
		return err
	}
	body, err := j.base64()
	if err != nil {
		return err
	}
	j.dst = appendExt(j.dst, int8(kind), body)
	return j.expect(']')
}

func (j *jsonReader) float() error {
	if j.next() != '"' {
		return j.bad()
	}
	from := j.i
	s, err := j.str()
	if err != nil {
		return err
	}
	var v float64
	switch string(s) {
	case "NaN":
		v = math.NaN()
	case "Infinity":
		v = math.Inf(1)
	case "-Infinity":
		v = math.Inf(-1)
	default:
		j.i = from
		return ErrJSON
	}
	j.dst = appendFloat(j.dst, v)
	return nil
}

// pairs reads a map as a list of pairs.
func (j *jsonReader) pairs() error {
	if j.depth++; j.depth > maxJSONDepth {
		return ErrTooDeep
	}
	at := len(j.dst)
	j.dst = append(j.dst, 0)
	if err := j.expect('['); err != nil {
		return err
	}
	n, err := j.list(func() error {
		if err := j.expect('['); err != nil {
			return err
		}
		if err := j.value(); err != nil {
			return err
		}
		if err := j.expect(','); err != nil {
			return err
		}
		if err := j.value(); err != nil {
			return err
		}
		return j.expect(']')
	})
	if err != nil {
		return err
	}
	j.close(at, n, 0x80, 0xde)
	return nil
}

// settle copies a value that came from JSON into Extra: a number that a
// float64 holds exactly, as it is spelled, becomes one.
func settle(dst, src []byte, i int) ([]byte, int) {
	t, err := tokenAt(src, i)
	if err != nil {
		return dst, len(src)
	}
	if t.kind == tokExt && t.ext == extNumber {
		text := src[t.body:t.end]
		var buf [32]byte
		if v, err := strconv.ParseFloat(string(text), 64); err == nil && string(appendJSONFloat(buf[:0], v)) == string(text) {
			return appendFloat(dst, v), t.end
		}
	}
	dst = append(dst, src[i:t.end]...)
	n := t.n
	switch t.kind {
	case tokMap:
		n *= 2
	case tokArray:
	default:
		n = 0
	}
	i = t.end
	for range n {
		dst, i = settle(dst, src, i)
	}
	return dst, i
}
