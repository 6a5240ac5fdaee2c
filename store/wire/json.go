package wire

import (
	"encoding/base64"
	"math"
	"strconv"
	"unicode/utf8"
)

// What MessagePack has and JSON has not is written as an object of one tag:
//
//	{"$bin": base64}  {"$str": base64 of invalid UTF-8}  {"$ext": [type, base64]}
//	{"$map": [[key, value], ...]} with keys that are no strings  {"$float": "NaN"}
//
// A key that begins with $ gets one more.
const (
	tagBin   = "$bin"
	tagStr   = "$str"
	tagExt   = "$ext"
	tagMap   = "$map"
	tagFloat = "$float"
)

// appendJSON appends the JSON form of the value at offset i of src, of which
// nothing is known, and returns the offset behind it.
func appendJSON(dst, src []byte, i, depth int) ([]byte, int, error) {
	t, err := tokenAt(src, i)
	if err != nil {
		return dst, i, err
	}
	body := src[t.body:t.end]
	switch t.kind {
	case tokNil:
		return append(dst, "null"...), t.end, nil
	case tokBool:
		return strconv.AppendBool(dst, t.u == 1), t.end, nil
	case tokUint, tokInt:
		return appendDigits(dst, t), t.end, nil
	case tokFloat32:
		return appendJSONFloat(dst, float64(math.Float32frombits(uint32(t.u)))), t.end, nil
	case tokFloat64:
		return appendJSONFloat(dst, math.Float64frombits(t.u)), t.end, nil
	case tokStr:
		if !utf8.Valid(body) {
			return appendTagged(dst, tagStr, body), t.end, nil
		}
		return appendJSONString(dst, body), t.end, nil
	case tokBin:
		return appendTagged(dst, tagBin, body), t.end, nil
	case tokExt:
		if t.ext == extNumber && isJSONNumber(body) {
			return append(dst, body...), t.end, nil
		}
		dst = append(dst, `{"`+tagExt+`":[`...)
		dst = strconv.AppendInt(dst, int64(t.ext), 10)
		dst = append(dst, `,"`...)
		dst = base64.StdEncoding.AppendEncode(dst, body)
		return append(dst, `"]}`...), t.end, nil
	}
	if depth >= MaxDepth {
		return dst, i, ErrTooDeep
	}
	if t.kind == tokMap {
		return appendJSONMap(dst, src, t, depth)
	}
	dst = append(dst, '[')
	i = t.end
	for n := range t.n {
		if n > 0 {
			dst = append(dst, ',')
		}
		if dst, i, err = appendJSON(dst, src, i, depth+1); err != nil {
			return dst, i, err
		}
	}
	return append(dst, ']'), i, nil
}

// appendJSONMap appends an object, or pairs where a key is no text.
func appendJSONMap(dst, src []byte, t token, depth int) ([]byte, int, error) {
	texts := true
	i, err := t.end, error(nil)
	for range t.n {
		k, err := tokenAt(src, i)
		texts = texts && err == nil && k.kind == tokStr && utf8.Valid(src[k.body:k.end])
		if i, err = skip(src, i, depth+1); err == nil {
			i, err = skip(src, i, depth+1)
		}
		if err != nil {
			return dst, i, err
		}
	}
	if texts {
		dst = append(dst, '{')
	} else {
		dst = append(dst, `{"`+tagMap+`":[`...)
	}
	i = t.end
	for n := range t.n {
		if n > 0 {
			dst = append(dst, ',')
		}
		if texts {
			k, _ := tokenAt(src, i)
			dst = append(appendJSONKey(dst, src[k.body:k.end]), ':')
			i = k.end
		} else {
			dst = append(dst, '[')
			if dst, i, err = appendJSON(dst, src, i, depth+1); err != nil {
				return dst, i, err
			}
			dst = append(dst, ',')
		}
		if dst, i, err = appendJSON(dst, src, i, depth+1); err != nil {
			return dst, i, err
		}
		if !texts {
			dst = append(dst, ']')
		}
	}
	if texts {
		return append(dst, '}'), i, nil
	}
	return append(dst, `]}`...), i, nil
}

func appendTagged(dst []byte, tag string, body []byte) []byte {
	dst = append(dst, `{"`...)
	dst = append(dst, tag...)
	dst = append(dst, `":"`...)
	dst = base64.StdEncoding.AppendEncode(dst, body)
	return append(dst, `"}`...)
}

func appendDigits(dst []byte, t token) []byte {
	if t.kind == tokInt {
		return strconv.AppendInt(dst, int64(t.u), 10)
	}
	return strconv.AppendUint(dst, t.u, 10)
}

// appendJSONFloat appends the shortest text that reads back as v and does not
// look like an integer.
func appendJSONFloat(dst []byte, v float64) []byte {
	switch {
	case math.IsNaN(v):
		return append(dst, `{"`+tagFloat+`":"NaN"}`...)
	case math.IsInf(v, 1):
		return append(dst, `{"`+tagFloat+`":"Infinity"}`...)
	case math.IsInf(v, -1):
		return append(dst, `{"`+tagFloat+`":"-Infinity"}`...)
	}
	at := len(dst)
	dst = strconv.AppendFloat(dst, v, 'g', -1, 64)
	for _, c := range dst[at:] {
		if c == '.' || c == 'e' {
			return dst
		}
	}
	return append(dst, ".0"...)
}

// appendJSONKey appends a key; one that begins with $ gets another.
func appendJSONKey(dst, s []byte) []byte {
	if len(s) > 0 && s[0] == '$' {
		at := len(dst)
		dst = append(dst, '$')
		dst = appendJSONString(dst, s)
		dst[at], dst[at+1] = '"', '$'
		return dst
	}
	return appendJSONString(dst, s)
}

const hexDigits = "0123456789abcdef"

// appendJSONString appends s in quotes.
func appendJSONString(dst, s []byte) []byte {
	dst = append(dst, '"')
	from := 0
	for i, c := range s {
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\b':
			dst = append(dst, `\b`...)
		case '\f':
			dst = append(dst, `\f`...)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&0xf])
		}
	}
	dst = append(dst, s[from:]...)
	return append(dst, '"')
}

// isJSONNumber tells whether s is a number of JSON.
func isJSONNumber(s []byte) bool {
	n, _ := numberEnd(s, 0)
	return n == len(s) && n > 0
}

// numberEnd returns the end of the number of JSON at offset i, or i if there is
// none, and whether it is an integer.
func numberEnd(s []byte, i int) (end int, integer bool) {
	from := i
	if i < len(s) && s[i] == '-' {
		i++
	}
	digits := func() bool {
		at := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i > at
	}
	if i < len(s) && s[i] == '0' {
		i++
	} else if !digits() {
		return from, false
	}
	integer = true
	if i+1 < len(s) && s[i] == '.' {
		i++
		integer = false
		if !digits() {
			return from, false
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		i++
		integer = false
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digits() {
			return from, false
		}
	}
	return i, integer
}
