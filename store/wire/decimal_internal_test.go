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
		for _, room := range []int{0, 31, 32, 100} {
			w := Writer{b: make([]byte, 0, room)}
			w.decimal(d)
			if (w.fault != nil) != (len(want) > MaxDecimal) {
				t.Fatalf("%s: %v", want, w.fault)
			}
			if w.fault == nil && string(w.b) != string(appendStr(nil, want)) {
				t.Fatalf("%s: wrote %q", want, w.b)
			}
		}
		if len(want) > MaxDecimal {
			continue
		}
		text := []byte("........" + want)
		coef, scale, long, ok := parseSlow([]byte(want))
		if !ok || !long && !decimal.New(coef, int32(-scale)).Equal(d) || scale != int(-d.Exponent()) || d.NumDigits() > maxDigits && !long {
			t.Fatalf("%s: read %d %d %v %v", want, coef, scale, long, ok)
		}
		if c, sc, fast := parseDecimal(text, 8, len(text)); fast && (c != coef || sc != scale || long) || fast != (len(strings.Trim(want, "-")) <= 16) {
			t.Fatalf("%s: read %d %d %v", want, c, sc, fast)
		}
		if !long && !sameDecimal(&d, coef, scale) {
			t.Fatalf("%s: not the same", want)
		}
	}
}

// TestDecimalSyntax reads every text of up to four bytes, both ways.
func TestDecimalSyntax(t *testing.T) {
	const alphabet = "019.-+/: "
	var text [12]byte
	copy(text[:], "........")
	for size := range 5 {
		for n := range intPow(len(alphabet), size) {
			for i, k := 0, n; i < size; i++ {
				text[8+i] = alphabet[k%len(alphabet)]
				k /= len(alphabet)
			}
			s := text[8 : 8+size]
			c, sc, long, ok := parseSlow(s)
			if fc, fsc, fok := parseDecimal(text[:], 8, 8+size); fok != ok || ok && (fc != c || fsc != sc || long) {
				t.Fatalf("%q: %d %d %v, slowly %d %d %v", s, fc, fsc, fok, c, sc, ok)
			}
			var buf [MaxDecimal]byte
			if plain, isPlain := plainDecimal(buf[:0], s); ok != (isPlain && string(plain) == string(s)) {
				t.Fatalf("%q: %v, canonical %q", s, ok, plain)
			}
		}
	}
}

func intPow(b, e int) int {
	p := 1
	for range e {
		p *= b
	}
	return p
}
