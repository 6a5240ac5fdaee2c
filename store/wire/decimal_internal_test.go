package wire

import (
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
)

// TestDecimalText compares what is written and read with the decimal package,
// whose own text with all zeros is StringFixed.
func TestDecimalText(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for range 300_000 {
		digits := 1 + r.IntN(18)
		if r.IntN(8) == 0 {
			digits = 18 + r.IntN(47)
		}
		var s strings.Builder
		if r.IntN(3) == 0 {
			s.WriteByte('-')
		}
		dot := r.IntN(2 * digits)
		for i := range digits {
			if i == dot && i > 0 {
				s.WriteByte('.')
			}
			if i == 0 && r.IntN(3) == 0 {
				s.WriteByte('0')
				if digits > 1 {
					s.WriteByte('.')
					dot = -1
				}
			} else {
				s.WriteByte(byte('0' + r.IntN(10)))
			}
		}
		d, err := decimal.NewFromString(s.String())
		if err != nil {
			t.Fatal(err)
		}
		want := d.StringFixed(-d.Exponent())
		if d.IsZero() {
			want = strings.TrimPrefix(want, "-")
		}
		var b [MaxDecimal + 2]byte
		n := putDecimal(b[:], &d)
		if len(want) > MaxDecimal {
			if n != 0 {
				t.Fatalf("%s: written", want)
			}
			continue
		}
		if got := string(b[:n]); got != string(appendStr(nil, want)) {
			t.Fatalf("%s: wrote %q", want, got)
		}
		text := []byte("........" + want)
		coef, scale, long, ok := parseDecimal(text, 8, len(text))
		if !ok || !long && !newDecimal(coef, scale).Equal(d) || scale != int(-d.Exponent()) || long != (d.NumDigits() > maxDigits || len(strings.Trim(want, "-")) > 19) && len(want) < 18 {
			t.Fatalf("%s: read %d %d %v %v", want, coef, scale, long, ok)
		}
		if !long && !sameDecimal(&d, coef, scale) {
			t.Fatalf("%s: not the same", want)
		}
	}
}
