package wire_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/shopspring/decimal"
	"github.com/tinylib/msgp/msgp"

	"github.com/nacre-store/nacre/store/wire"
)

// TestTruncated cuts every vector at every byte: each time an error that names
// the row, and never more memory than the input justifies.
func TestTruncated(t *testing.T) {
	eachSmallVector(t, func(t *testing.T, s subject, b []byte) {
		v := s.fresh()
		for n := range len(b) {
			err := s.take(b[:n], v)
			e := (*wire.Error)(nil)
			if !errors.As(err, &e) || e.Name != s.name || e.Offset > n {
				t.Fatalf("%d of %d bytes: %#v", n, len(b), err)
			}
			if !errors.Is(err, wire.ErrTruncated) {
				t.Fatalf("%d of %d bytes: %v", n, len(b), err)
			}
		}
	})
}

// TestFlipped changes every byte of every vector in several ways: what is still
// accepted obeys every rule.
func TestFlipped(t *testing.T) {
	eachSmallVector(t, func(t *testing.T, s subject, b []byte) {
		full := fullOf(t, s)
		masks := []byte{0x01, 0x80}
		if long() {
			masks = []byte{0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80, 0xff}
		}
		for i := range b {
			for _, mask := range masks {
				c := bytes.Clone(b)
				c[i] ^= mask
				check(t, s, full, c)
			}
		}
	})
}

// eachSmallVector runs f on every vector, and JSON form, of up to 1 KiB; of
// what differs in one value only on the first of its kind.
func eachSmallVector(t *testing.T, f func(t *testing.T, s subject, b []byte)) {
	seen := map[string]bool{}
	eachVector(t, func(t *testing.T, s subject, v vector) {
		kind, _, _ := strings.Cut(v.Name, " ")
		if seen[s.name+kind] && !long() || len(v.Canonical) > 1024 {
			return
		}
		seen[s.name+kind] = true
		f(t, s, v.Canonical)
		f(t, s, []byte(v.JSON))
	})
	for _, name := range []string{"sample", "tick"} {
		s := subjectNamed(t, name)
		t.Run(name, func(t *testing.T) { f(t, s, fullOf(t, s)) })
	}
}

// repeat returns head, n times body, and tail.
func repeat(head, body string, n int, tail string) []byte {
	return []byte(head + strings.Repeat(body, n) + tail)
}

// list32 returns the header of a list of n elements, map32 that of a map.
func list32(n uint32) string { return "\xdd" + string(binary.BigEndian.AppendUint32(nil, n)) }
func map32(n uint32) string  { return "\xdf" + string(binary.BigEndian.AppendUint32(nil, n)) }

// TestHostile holds what other MessagePack codecs get wrong: a few bytes that
// ask for a lot of memory, nesting without end, and so on.
func TestHostile(t *testing.T) {
	row := func(field string) []byte {
		b, err := sampleCodec.Append(nil, minimal())
		if err != nil {
			t.Fatal(err)
		}
		b[0]++ // One more field.
		return append(b, field...)
	}
	two := func(b []byte) []byte {
		b[0]++
		return b
	}
	// A field where it belongs, of a row that is canonical up to there.
	straight := func(key, value string) []byte {
		b := fullOf(t, subjectNamed(t, "sample"))
		before, _, _ := bytes.Cut(b, []byte(key))
		return append(before[:len(before):len(before)], key+value...)
	}
	tagged := minimal()
	tagged.Tags = []string{"x"}
	huge := "\xa4tags\xdc\x01\x2c" + strings.Repeat("\xda\x10\x00"+strings.Repeat("x", wire.MaxString), 300)
	for _, c := range []struct {
		name string
		in   []byte
		want error
	}{
		{"a row of more than a MiB", bytes.Replace(must2(tagged.MarshalMsg(nil)), []byte("\xa4tags\x91\xa1x"), []byte(huge), 1), wire.ErrTooLong},
		{"list of ten thousand where it belongs", straight("\xa4legs", "\xdc\x27\x10\x80"), wire.ErrTruncated},
		{"list of a million in 13 bytes", []byte("\x81\xa4legs" + list32(1<<20) + "\x00\x00"), wire.ErrTruncated},
		{"list of four thousand million", row("\xa4ints" + list32(1<<32-1)), wire.ErrTruncated},
		{"map of a million in 15 bytes", row("\xa8price_by" + map32(1<<20)), wire.ErrTruncated},
		{"fields without end", []byte(map32(1<<32 - 1)), wire.ErrTruncated},
		{"fields that are there", repeat("\xde\xff\xff", "\xa0\x00", 65535, ""), wire.ErrTooLong},
		{"string of four thousand million", []byte("\x81\xa2id\xdb\xff\xff\xff\xff"), wire.ErrTruncated},
		{"string that is there", row("\xa4note\xda\x10\x01" + strings.Repeat("x", 4097)), wire.ErrTooLong},
		{"bytes that are there", row("\xa4blob\xc5\x10\x01" + strings.Repeat("x", 4097)), wire.ErrTooLong},
		{"list that is there", row("\xa4ints" + list32(10001) + strings.Repeat("\x01", 10001)), wire.ErrTooLong},
		{"lists in lists", repeat("\x81\xa3new", "\x91", 100_000, "\x00"), wire.ErrTooDeep},
		{"maps in maps", repeat("\x81\xa3new", "\x81\xa0", 100_000, "\x00"), wire.ErrTooDeep},
		{"lists in lists in a field", repeat("\x81\xa4legs", "\x91", 100_000, "\x00"), wire.ErrTooDeep},
		{"lists in lists of JSON", repeat(`{"new":`, "[", 100_000, ""), wire.ErrTooDeep},
		{"objects in objects", repeat(`{"new":`, `{"a":`, 100_000, ""), wire.ErrTooDeep},
		{"duplicate", []byte("\x82\xa2id\xa1a\xa2id\xa1b"), wire.ErrDuplicate},
		{"duplicate that is the same", []byte("\x82\xa2id\xa1a\xa2id\xa1a"), wire.ErrDuplicate},
		{"duplicate of an unknown field", row("\xa3new\x01" + "\xa3new\x01"), wire.ErrTrailing},
		{"duplicate of an unknown field where it belongs", two(row("\xa3new\x01" + "\xa3new\x01")), wire.ErrDuplicate},
		{"duplicate of JSON", []byte(`{"id":"a","id":"b"}`), wire.ErrDuplicate},
		{"duplicate in a map", row("\xa8price_by\x82\xa1a\xa11\xa1a\xa12"), wire.ErrDuplicate},
		{"missing", []byte("\x80"), wire.ErrMissing},
		{"nil for a required field", []byte("\x81\xa2id\xc0"), wire.ErrMissing},
		{"decimal of 65 digits", row("\xa4peak\xd9\x41" + strings.Repeat("1", 65)), wire.ErrTooLong},
		{"decimal of a million digits", row("\xa4peak\xdb\x00\x10\x00\x00" + strings.Repeat("1", 1<<20)), wire.ErrTooLong},
		{"decimal with an exponent", row("\xa4peak\xa51e999"), wire.ErrDecimal},
		{"decimal that is none", row("\xa4peak\xa3NaN"), wire.ErrDecimal},
		{"decimal as a float", row("\xa4peak\xcb\x3f\xf0\x00\x00\x00\x00\x00\x00"), wire.ErrType},
		{"float that is none", row("\xa5ratio\xcb\x7f\xf8\x00\x00\x00\x00\x00\x01"), wire.ErrNaN},
		{"infinity", row("\xa5ratio\xca\x7f\x80\x00\x00"), wire.ErrNaN},
		{"negative timestamp", row("\xa5since\xff"), wire.ErrNegative},
		{"timestamp before 1970", row("\xa5since\xb41969-12-31T23:59:59Z"), wire.ErrNegative},
		{"timestamp after 2262", row("\xa5since\xb42262-04-12T00:00:00Z"), wire.ErrRange},
		{"timestamp that is none", row("\xa5since\xa5today"), wire.ErrTimestamp},
		{"integer of 64 bits", row("\xa4hits\xcf\xff\xff\xff\xff\xff\xff\xff\xff"), wire.ErrRange},
		{"digits of 65 bits", row("\xa4hits\xb499999999999999999999"), wire.ErrRange},
		{"invalid UTF-8", row("\xa4note\xa1\xff"), wire.ErrUTF8},
		{"invalid UTF-8 in a name", row("\xa1\xff\x01"), wire.ErrUTF8},
		{"a key that is a number", row("\x01\x01"), wire.ErrKey},
		{"a byte that means nothing", row("\xa3new\xc1"), wire.ErrType},
		{"an id of too few parts", row("\xa5other\xa1x"), wire.ErrID},
		{"a list", []byte("\x90"), wire.ErrType},
		{"nothing", nil, wire.ErrTruncated},
		{"a scalar of JSON", []byte(`[1]`), wire.ErrType},
		{"half of a surrogate pair", []byte(`{"id":"\ud800"}`), wire.ErrJSON},
		{"base64 that is none", []byte(`{"raw":{"$bin":"?"}}`), wire.ErrJSON},
	} {
		t.Run(c.name, func(t *testing.T) {
			var err error
			run := func() { err = sampleCodec.Take(c.in, new(sample), nil) }
			run()
			if n := allocated(run); n > memoryBound(len(c.in)) {
				t.Errorf("%d bytes of input allocated %d", len(c.in), n)
			}
			if !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
			if _, err := new(sample).UnmarshalMsg(c.in); !errors.Is(err, c.want) && c.want != wire.ErrTrailing {
				t.Errorf("UnmarshalMsg: got %v, want %v", err, c.want)
			}
		})
	}
}

// TestLongest holds that what is as long as allowed is allowed.
func TestLongest(t *testing.T) {
	v := minimal()
	v.Tags = make([]string, wire.MaxList)
	v.Info = strings.Repeat("i", 256<<10)
	v.Note = strings.Repeat("n", wire.MaxString)
	v.Peak = some(dec(strings.Repeat("9", wire.MaxDecimal)))
	b, err := v.MarshalMsg(nil)
	if err != nil {
		t.Fatal(err)
	}
	var got sample
	if err := sampleCodec.Take(b, &got, nil); err != nil {
		t.Fatal(err)
	}
	if diff := equal(v, &got); diff != "" {
		t.Error(diff)
	}
}

// TestStream reads values from a stream, of which the last is cut off, and one
// that claims to be huge.
func TestStream(t *testing.T) {
	var buf bytes.Buffer
	w := msgp.NewWriter(&buf)
	for range 3 {
		if err := full().EncodeMsg(w); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	want := buf.Len() / 3
	buf.Truncate(buf.Len() - 1)
	r := msgp.NewReader(&buf)
	for i := range 3 {
		var got sample
		err := got.DecodeMsg(r)
		if (err == nil) != (i < 2) {
			t.Fatalf("value %d: %v", i, err)
		}
		if size := got.Msgsize(); err == nil && size != want {
			t.Errorf("Msgsize %d, written %d", size, want)
		}
	}
	var v sample
	huge := func() {
		r := msgp.NewReader(strings.NewReader("\xdb\x7f\xff\xff\xff" + strings.Repeat("x", 100)))
		if err := v.DecodeMsg(r); err == nil {
			t.Error("a huge string was read")
		}
	}
	huge()
	if n := allocated(huge); n > 64<<10 {
		t.Errorf("95 bytes allocated %d", n)
	}
	long := strings.NewReader("\xdb\x00\x20\x00\x00" + strings.Repeat("x", 2<<20))
	if err := v.DecodeMsg(msgp.NewReader(long)); !errors.Is(err, wire.ErrTooLong) {
		t.Errorf("2 MiB: %v", err)
	}
}

type basket struct {
	Prices map[string]decimal.Decimal
	Extra  string
}

// A required map that is missing is missing, and not empty, also where another
// field keeps the count right.
func TestRequiredMapIsMissing(t *testing.T) {
	c := wire.NewCodec("basket", func(b *basket, w *wire.Writer) {
		m := w.Map(1, 1)
		w.PutDecimalMap("\xa6prices", b.Prices, wire.Required)
		w.End(m, b.Extra)
	}, func(b *basket, r *wire.Reader) {
		m := r.Map(1, 1)
		r.TakeDecimalMap("\xa6prices", &b.Prices, wire.Required)
		r.End(m, &b.Extra)
	})
	for _, in := range []string{"\x80", "\x81\xa5other\x01", "\x81\xa6prices\xc0"} {
		if err := c.Take([]byte(in), new(basket), nil); !errors.Is(err, wire.ErrMissing) {
			t.Errorf("%q: %v", in, err)
		}
	}
	if err := c.Take([]byte("\x81\xa6prices\x80"), new(basket), nil); err != nil {
		t.Error(err)
	}
}
