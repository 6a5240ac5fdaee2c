package wire_test

import (
	"errors"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/store/wire"
)

// card has a field of every kind that the canonicaliser copies as it is where it can.
type card struct {
	Name  string
	Price decimal.Decimal
	At    int64
	Note  string
	Peak  Opt[decimal.Decimal]
	Since int64
	Extra string
}

func (c *card) append(w *wire.Writer) {
	m := w.Map(3, 6)
	wire.PutStringMax(w, "\xa4name", c.Name, 40)
	w.PutDecimal("\xa8at_price", c.Price)
	wire.PutTimestamp(w, "\xa2at", c.At)
	wire.PutOptString(w, "\xb4a_note_of_20_letters", c.Note)
	w.PutOptDecimal("\xa4peak", c.Peak)
	wire.PutOptTimestamp(w, "\xabopt_of_time", c.Since)
	w.End(m, c.Extra)
}

func (c *card) take(r *wire.Reader) {
	m := r.Map(3, 6)
	r.TakeStringMax("\xa4name", &c.Name, 40)
	r.TakeDecimal("\xa8at_price", &c.Price)
	wire.TakeTimestamp(r, "\xa2at", &c.At)
	r.TakeOptString("\xb4a_note_of_20_letters", &c.Note)
	r.TakeOptDecimal("\xa4peak", &c.Peak.Value, &c.Peak.Valid)
	wire.TakeOptTimestamp(r, "\xabopt_of_time", &c.Since)
	r.End(m, &c.Extra)
}

func newCardCodec() *wire.Codec[card] { return wire.NewCodec("card", (*card).append, (*card).take) }

// The keys of a card and of a field that it does not know, each with a plain
// value first, and what a value may be at all.
var (
	cardKeys = []string{
		"\xa4name\xa1n", "\xa8at_price\xa41.50", "\xa2at\xcf\x17\x97\x9c\xfe\x36\x2a\x00\x00",
		"\xb4a_note_of_20_letters\xa4note", "\xa4peak\xa2-7", "\xabopt_of_time\xcf\x17\x97\x9c\xfe\x36\x2a\x00\x00", "\xa3new\x01",
	}
	cardValues = []string{
		"\xa0", "\xa1a", "\xd9\x01a", "\xbf" + strings.Repeat("s", 31), "\xd9\x1f" + strings.Repeat("s", 31), "\xd9\x20" + strings.Repeat("s", 32),
		"\xd9\x28" + strings.Repeat("s", 40), "\xd9\x29" + strings.Repeat("s", 41), "\xa2\xc3\xa9", "\xa2s\xff", "\xc4\x01a", "\xc4\x20" + strings.Repeat("s", 32),
		"\xa11", "\xa3007", "\xa20.", "\xa25.", "\xa3008", "\xa41.2.", "\xa88.123456", "\xa41..2", "\xa38.5", "\xa312:", "\xa2.5", "\xa2+5", "\xa2-0", "\xa50.000", "\xa31e5", "\xb112345678.12345678", "\xd9\x051.500",
		"\xcf\x00\x00\x00\x00\xff\xff\xff\xff", "\xcf\x00\x00\x00\x01\x00\x00\x00\x00", "\xcf\x7f\xff\xff\xff\xff\xff\xff\xff", "\xcf\x80\x00\x00\x00\x00\x00\x00\x00",
		"\xd3\x00\x00\x00\x01\x00\x00\x00\x00", "\xcf\x00\x00\x00\x00\x00\x00\x00\x00", "\x00", "\x05", "\xff", "\xc0", "\xc3", "\x91\x01", "\x81\xa1a\x01",
		"\xb41970-01-01T00:00:05Z", "\xa25x",
	}
)

// TestKeyOrderIsForgotten reads cards in every order of keys, with a codec that
// read the same order of keys before and with one that read nothing yet: they
// tell the same of each.
func TestKeyOrderIsForgotten(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(of []string) string { return of[random.IntN(len(of))] }
	used, accepted := newCardCodec(), 0
	for range 30_000 {
		keys := make([]string, 0, len(cardKeys)+1)
		for _, i := range random.Perm(len(cardKeys)) {
			keys = append(keys, cardKeys[i])
		}
		plain := mapOf(keys)
		if random.IntN(4) == 0 { // One key twice: the second follows what it followed before.
			keys = append(keys, pick(keys))
			_, _, _ = used.Canonical(mapOf(keys[len(keys)-2:]))
		}
		_, _, _ = used.Canonical(plain)
		for i, k := range keys {
			if random.IntN(8) == 0 {
				keys[i] = k[:1+k[0]&0x1f] + pick(cardValues)
			}
		}
		b := mapOf(keys)
		if random.IntN(8) == 0 {
			b = b[:random.IntN(len(b))]
		}
		b = append(b, "123456789"...) // What follows the value does not matter.
		want, n, wantErr := newCardCodec().Canonical(b)
		got, m, err := used.Canonical(b)
		if errorText(err) != errorText(wantErr) || err == nil && (m != n || string(got) != string(want)) {
			t.Fatalf("%q\ngot  %d %q, %v\nwant %d %q, %v", b, m, got, err, n, want, wantErr)
		}
		if err == nil {
			b = b[:n]
		}
		var v card
		if err := used.Take(b, &v, nil); errorText(err) != errorText(wantErr) {
			t.Fatalf("%q: read: %v, canonical: %v", b, err, wantErr)
		}
		if err != nil {
			continue
		}
		accepted++
		if again := must2(used.Append(nil, &v)); string(again) != string(want) {
			t.Fatalf("%q\nread    %q\nrewrote %q", b, again, want)
		}
	}
	if accepted < 1000 {
		t.Errorf("only %d inputs were good", accepted)
	}
}

// mapOf returns a map of less than 16 pairs.
func mapOf(pairs []string) []byte {
	return append([]byte{0x80 | byte(len(pairs))}, strings.Join(pairs, "")...)
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// TestKeyOrderHidesNoExtra holds that a key which followed another before is
// still no unknown field when it follows it again.
func TestKeyOrderHidesNoExtra(t *testing.T) {
	v := full()
	v.Main = leg{Name: "name", Ratio: some(dec("1.50"))}
	b := must2(v.MarshalMsg(nil))
	b[bytesIndex(t, b, "\xa5count")+1] = 'C' // An unknown field, and one that is missing: not canonical.
	if err := sampleCodec.Take(b, new(sample), nil); !errors.Is(err, wire.ErrMissing) {
		t.Fatal(err)
	}
	v.Main = leg{Name: "name", Extra: "\xa5ratio\xa41.50"}
	if _, err := v.MarshalMsg(nil); !errors.Is(err, wire.ErrExtra) {
		t.Errorf("a known field in Extra: %v", err)
	}
}

func bytesIndex(t *testing.T, b []byte, s string) int {
	t.Helper()
	i := strings.Index(string(b), s)
	if i < 0 {
		t.Fatalf("%q is not in %q", s, b)
	}
	return i
}

// TestCountBeyondInput holds that a header which promises more fields than the
// input has bytes for is itself the fault.
func TestCountBeyondInput(t *testing.T) {
	for _, header := range []string{"\x85", "\xde\x00\x05", "\xdf\x00\x00\x00\x05"} {
		e := (*wire.Error)(nil)
		if err := newCardCodec().Take([]byte(header+"\xa4name\xa1n"), new(card), nil); !errors.As(err, &e) || e.Offset != 0 || !errors.Is(err, wire.ErrTruncated) {
			t.Errorf("%x: %v", header, err)
		}
	}
}
