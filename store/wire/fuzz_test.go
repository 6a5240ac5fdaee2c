package wire_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"runtime"
	"testing"
	"unicode/utf8"

	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/store/wire"
)

// check holds what is true of every input, whatever it is.
func check(t *testing.T, s subject, full, data []byte) {
	t.Helper()
	v := s.fresh()
	err := s.take(data, v)
	canonical, used, canonErr := s.canonical(data)
	if n, ok := s.fast(data); ok && n <= wire.MaxMessage && (canonErr != nil || string(canonical) != string(data[:n])) {
		t.Fatalf("the straight line read what is not canonical: %v\n%x\n%x", canonErr, data[:n], canonical)
	}
	if err != nil {
		e := (*wire.Error)(nil)
		if !errors.As(err, &e) || errors.Is(err, wire.ErrUnread) || e.Offset < 0 || e.Offset > len(data) || e.Name != s.name {
			t.Fatalf("error %#v", err)
		}
		if (canonErr == nil) != errors.Is(err, wire.ErrTrailing) {
			t.Fatalf("take: %v, canonical: %v", err, canonErr)
		}
		return
	}
	if canonErr != nil || used != len(data) {
		t.Fatalf("read, but has no canonical form: %v, %d of %d", canonErr, used, len(data))
	}
	b, err := s.append(nil, v)
	if err != nil || string(b) != string(canonical) {
		t.Fatalf("what was read is written in another way: %v\n%x\n%x", err, b, canonical)
	}
	if again, _, err := s.canonical(b); err != nil || string(again) != string(b) {
		t.Fatalf("no fixed point: %v\n%x\n%x", err, b, again)
	}
	dirty := s.fresh()
	if err := s.take(full, dirty); err != nil {
		t.Fatal(err)
	}
	if err := s.take(data, dirty); err != nil {
		t.Fatalf("into a used value: %v", err)
	}
	if diff := equal(v, dirty); diff != "" {
		t.Fatalf("into a used value: %s", diff)
	}
	for _, f := range []wire.Format{{ISO8601: true}, {JSON: true}, {JSON: true, ISO8601: true}} {
		stored, err := s.transcode(b, f)
		if err != nil || f.JSON && !json.Valid(stored) {
			t.Fatalf("%s: %v\n%q", formName(f), err, stored)
		}
		back := s.fresh()
		if err := s.take(stored, back); err != nil {
			t.Fatalf("%s: %v\n%q", formName(f), err, stored)
		}
		c, err := s.append(nil, back)
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := s.transcode(c, f); err != nil || string(twice) != string(stored) {
			t.Fatalf("%s there and back: %v\n%q\n%q", formName(f), err, stored, twice)
		}
		if !f.JSON && string(c) != string(b) {
			t.Fatalf("%s: another value\n%x\n%x", formName(f), b, c)
		}
	}
}

// fuzz runs check on the type with a name, from its vectors on.
func fuzz(f *testing.F, name string) {
	s := subjectNamed(f, name)
	for _, b := range seeds(f, s) {
		f.Add(b)
	}
	full := fullOf(f, s)
	f.Fuzz(func(t *testing.T, data []byte) { check(t, s, full, data) })
}

// seeds returns forms of a few values of s.
func seeds(t testing.TB, s subject) (all [][]byte) {
	t.Helper()
	if s.name == "sample" || s.name == "tick" {
		b := fullOf(t, s)
		for _, f := range []wire.Format{{}, {ISO8601: true}, {JSON: true}} {
			form, err := s.transcode(b, f)
			if err != nil {
				t.Fatal(err)
			}
			all = append(all, form)
		}
		return all
	}
	for _, v := range readVectors(t, "../../testdata/wire/v1/"+s.name+".json") {
		if len(v.Canonical) > 4096 {
			continue
		}
		all = append(all, v.Canonical, []byte(v.JSON), v.ISO8601)
		for _, b := range v.Foreign {
			all = append(all, b)
		}
	}
	return all
}

// fullOf returns the bytes of a value with every field set.
func fullOf(t testing.TB, s subject) []byte {
	t.Helper()
	var v any
	switch s.name {
	case "sample":
		row := full()
		row.Info = "i"
		v = row
	case "tick":
		v = &tick{Bid: dec("1.1"), Ask: dec("1.2"), At: 5, Size: some(dec("3")), Venue: "V", Leg: some(leg{Name: "x", Extra: "\xa1n\x01"}), Extra: "\xa1x"}
	default:
		return readVectors(t, "../../testdata/wire/v1/"+s.name+".json")[0].Canonical
	}
	b, err := s.append(nil, v)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func FuzzSample(f *testing.F)       { fuzz(f, "sample") }
func FuzzTick(f *testing.F)         { fuzz(f, "tick") }
func FuzzPosition(f *testing.F)     { fuzz(f, "position") }
func FuzzOrder(f *testing.F)        { fuzz(f, "order") }
func FuzzAccount(f *testing.F)      { fuzz(f, "account") }
func FuzzInstrument(f *testing.F)   { fuzz(f, "instrument") }
func FuzzOrderEvent(f *testing.F)   { fuzz(f, "OrderEvent") }
func FuzzAccountEvent(f *testing.F) { fuzz(f, "AccountEvent") }
func FuzzQuoteTick(f *testing.F)    { fuzz(f, "quote_tick") }
func FuzzBar(f *testing.F)          { fuzz(f, "bar") }

// FuzzMemory holds that no input allocates more than its length justifies.
func FuzzMemory(f *testing.F) {
	s := subjectNamed(f, "sample")
	for _, b := range seeds(f, s) {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		v := s.fresh()
		_ = s.take([]byte{0xc1}, v)
		if n, bound := allocated(func() { _ = s.take(data, v) }), memoryBound(len(data)); n > bound {
			t.Fatalf("%d bytes of input allocated %d, more than %d", len(data), n, bound)
		}
	})
}

// memoryBound is what n bytes of input may allocate: 64 bytes each, and what
// errors and the buffers of a pool that the collector emptied take.
func memoryBound(n int) int { return 64*n + 32<<10 }

// allocated returns how many bytes f allocates.
func allocated(f func()) int {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return int(after.TotalAlloc - before.TotalAlloc)
}

// FuzzWrite holds that what is written can be read as the same value, and that
// what cannot is refused, with the field that is to blame.
func FuzzWrite(f *testing.F) {
	f.Add("id", "tag", "key", "1.10", 1.5, int64(-1), "\xa1x\x01", "\xa1y\x02")
	f.Add("\xff", "tag", "key", "1e20", 0.0, int64(1), "\xa4name\x01", "\xa2id\x01")
	f.Fuzz(func(t *testing.T, id, tag, key, number string, weight float64, n int64, inner, extra string) {
		v := full()
		v.ID, v.Tags[1], v.Weight, v.Count, v.At, v.Extra = sampleID(id), tag, weight, n, n, extra
		v.Legs[1].Extra, v.ByName = inner, map[string]leg{key: {Name: tag}, "b": {}}
		if d, err := decimal.NewFromString(number); err == nil && len(number) < 100 && d.Exponent() > -1000 && d.Exponent() < 1000 {
			v.Price, v.PriceBy[key] = d, d
		}
		b, err := sampleCodec.Append(nil, v)
		if err != nil {
			e := (*wire.Error)(nil)
			if !errors.As(err, &e) || len(b) != 0 || e.Name != "sample" {
				t.Fatalf("error %#v", err)
			}
			plain := utf8.ValidString(id) && utf8.ValidString(tag) && utf8.ValidString(key) && len(id)+len(tag)+len(key) < 100
			if plain && weight == weight && weight-weight == 0 && n >= 0 && inner == "" && extra == "" && len(number) < 50 && len(v.Price.String()) < 50 {
				t.Fatalf("nothing is wrong, but %v", err)
			}
			return
		}
		var got sample
		if err := sampleCodec.Take(b, &got, nil); err != nil {
			t.Fatalf("%v\n%x", err, b)
		}
		again, err := sampleCodec.Append(nil, &got)
		if err != nil || !bytes.Equal(again, b) {
			t.Fatalf("%v\n%x\n%x", err, b, again)
		}
		if got.ID != v.ID || got.Tags[1] != tag || got.Weight != weight || got.Count != n || got.Extra != extra || got.Legs[1].Extra != inner || !got.Price.Equal(v.Price) {
			t.Fatalf("another value\n%+v\n%+v", v, got)
		}
	})
}

// long tells whether the long forms of tests are asked for.
func long() bool { return os.Getenv("NACRE_LONG") != "" }
