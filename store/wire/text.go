package wire

import (
	"encoding/base64"
	"fmt"
	"math"
	"strconv"
	"time"
)

// timestamp reads nanoseconds, their digits, or RFC 3339 text.
func (c *canon) timestamp(t token) (int64, error) {
	if s, ok := c.number(t); ok {
		return parseTimestamp(s)
	}
	v, err := c.int(t)
	if err != nil {
		return 0, fmt.Errorf("%w: not a timestamp", err)
	}
	if v < 0 {
		return 0, ErrNegative
	}
	return v, nil
}

// maxTimestampText is more than any timestamp needs, also with leading zeros in its fraction.
const maxTimestampText = 64

func parseTimestamp(s []byte) (int64, error) {
	if len(s) == 0 || len(s) > maxTimestampText {
		return 0, ErrTimestamp
	}
	if len(s) > 4 && s[4] == '-' {
		at, err := time.Parse(time.RFC3339Nano, string(s))
		if err != nil {
			return 0, ErrTimestamp
		}
		sec := at.Unix()
		if sec < 0 {
			return 0, ErrNegative
		}
		const second = 1_000_000_000
		if nano := int64(at.Nanosecond()); sec <= (math.MaxInt64-nano)/second {
			return sec*second + nano, nil
		}
		return 0, ErrRange
	}
	v, err := parseInt(s)
	switch {
	case err != nil:
		return 0, ErrTimestamp
	case v < 0:
		return 0, ErrNegative
	}
	return v, nil
}

// appendTimestamp appends v as RFC 3339 text in UTC, always with nine decimals.
func appendTimestamp(b []byte, v int64) []byte {
	return time.Unix(0, v).UTC().AppendFormat(b, "2006-01-02T15:04:05.000000000Z")
}

// decimal rewrites plain digits or an integer; digits may have a plus sign,
// leading zeros, or nothing on one side of the point.
func (c *canon) decimal(t token) error {
	if t.kind == tokStr && t.n <= 16 {
		if _, _, ok := parseDecimal(c.src, t.body, t.end); ok {
			c.out = appendStr(c.out, c.src[t.body:t.end])
			return nil
		}
	}
	var buf [2 * MaxDecimal]byte
	if t.kind == tokUint || t.kind == tokInt {
		v, err := c.int(t)
		c.out = appendStr(c.out, strconv.AppendInt(buf[:0], v, 10))
		return err
	}
	s, ok := c.number(t)
	switch {
	case !ok:
		return fmt.Errorf("%w: not a decimal", ErrType)
	case len(s) > MaxDecimal:
		return errTooLong(len(s), MaxDecimal, "bytes of a decimal")
	}
	text, ok := plainDecimal(buf[:0], s)
	switch {
	case !ok:
		return ErrDecimal
	case len(text) > MaxDecimal:
		return errTooLong(len(text), MaxDecimal, "bytes of a decimal")
	}
	c.out = appendStr(c.out, text)
	return nil
}

// plainDecimal appends the canonical text of the decimal s.
func plainDecimal(b, s []byte) ([]byte, bool) {
	neg := false
	if len(s) > 0 && (s[0] == '-' || s[0] == '+') {
		neg = s[0] == '-'
		s = s[1:]
	}
	dot, digits, zero := len(s), 0, true
	for i, d := range s {
		switch {
		case d == '.' && dot == len(s):
			dot = i
		case d >= '0' && d <= '9':
			digits++
			zero = zero && d == '0'
		default:
			return b, false
		}
	}
	if digits == 0 {
		return b, false
	}
	if neg && !zero {
		b = append(b, '-')
	}
	whole := s[:dot]
	for len(whole) > 1 && whole[0] == '0' {
		whole = whole[1:]
	}
	if len(whole) == 0 {
		whole = []byte{'0'}
	}
	b = append(b, whole...)
	if dot < len(s)-1 {
		b = append(b, s[dot:]...)
	}
	return b, true
}

// base64Bytes reads the text in which JSON holds bytes.
func base64Bytes(s []byte) ([]byte, error) {
	b := make([]byte, base64.StdEncoding.DecodedLen(len(s)))
	n, err := base64.StdEncoding.Strict().Decode(b, s)
	if err != nil {
		return nil, fmt.Errorf("%w: not base64", ErrType)
	}
	return b[:n], nil
}
