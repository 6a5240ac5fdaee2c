package wire_test

import (
	"bytes"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/nacre-store/nacre/store/wire"
)

// An older program knows little of a sample and of a tick.
type oldSample struct {
	ID    string
	Note  string
	Extra string
}

func (s *oldSample) append(w *wire.Writer) {
	m := w.Map(1, 2)
	wire.PutString(w, "\xa2id", s.ID)
	wire.PutOptString(w, "\xa4note", s.Note)
	w.End(m, s.Extra)
}

func (s *oldSample) take(r *wire.Reader) {
	m := r.Map(1, 2)
	r.TakeString("\xa2id", &s.ID)
	r.TakeOptString("\xa4note", &s.Note)
	r.End(m, &s.Extra)
}

var oldSampleCodec = wire.NewCodec("sample", (*oldSample).append, (*oldSample).take)

type oldTick struct {
	Bid   Opt[int64]
	Extra string
}

func (t *oldTick) append(w *wire.Writer) {
	m := w.Array(0, 1)
	w.PutOptInt("", t.Bid)
	w.End(m, t.Extra)
}

func (t *oldTick) take(r *wire.Reader) {
	m := r.Array(0, 1)
	r.TakeOptInt("\xa3bid", &t.Bid.Value, &t.Bid.Valid)
	r.End(m, &t.Extra)
}

var oldTickCodec = wire.NewCodec("tick", (*oldTick).append, (*oldTick).take)

var formats = []wire.Format{{}, {ISO8601: true}, {JSON: true}, {JSON: true, ISO8601: true}}

// TestNewerFieldsSurvive lets an older program read what a newer one wrote,
// change its field, and write: within an encoding and across a switch of it.
func TestNewerFieldsSurvive(t *testing.T) {
	v := full()
	v.Weight, v.Ratio, v.Floats = 3, some(math.Copysign(0, -1)), []float64{1, 0.1, 1e300, 5e-324, math.MaxFloat64, 1 << 53}
	v.Hits, v.Ints = some(int64(math.MinInt64)), []int64{math.MaxInt64, math.MinInt64, 1 << 53, 0}
	v.Note = "before"
	for _, stored := range formats {
		for _, written := range formats {
			t.Run(formName(stored)+" to "+formName(written), func(t *testing.T) {
				b := must(t)(sampleCodec.Append(nil, v))
				b = must(t)(sampleCodec.Transcode(nil, b, stored))
				var old oldSample
				if err := oldSampleCodec.Take(b, &old, nil); err != nil {
					t.Fatal(err)
				}
				if old.ID != string(v.ID) || old.Note != "before" {
					t.Fatalf("%+v", old)
				}
				old.Note = "after"
				c := must(t)(oldSampleCodec.Append(nil, &old))
				c = must(t)(oldSampleCodec.Transcode(nil, c, written))
				var got sample
				if err := sampleCodec.Take(c, &got, nil); err != nil {
					t.Fatalf("%v\n%q", err, c)
				}
				want := *v
				want.Note = "after"
				if diff := equal(&want, &got); diff != "" {
					t.Error(diff)
				}
				if stored == written && !stored.JSON && strings.Count(string(c), string(b[len(b)-200:])) != 1 {
					t.Errorf("not byte for byte:\n%q\n%q", b, c)
				}
			})
		}
	}
}

func must(t *testing.T) func([]byte, error) []byte {
	return func(b []byte, err error) []byte {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
}

// TestNewerElementsSurvive is TestNewerFieldsSurvive for elements of series.
func TestNewerElementsSurvive(t *testing.T) {
	v := tick{Ask: dec("1.20"), At: 5, Venue: "V", Leg: some(leg{Name: "x"}), Extra: "\xc0\x07"}
	b := must(t)(tickCodec.Append(nil, &v))
	b = append([]byte{b[0], 0xc0}, b[3:]...) // The old program's field is absent.
	for _, f := range formats {
		var old oldTick
		if err := oldTickCodec.Take(b, &old, nil); err != nil {
			t.Fatal(err)
		}
		c := must(t)(oldTickCodec.Append(nil, &old))
		if string(c) != string(b) {
			t.Errorf("%x\n%x", b, c)
		}
		stored := must(t)(oldTickCodec.Transcode(nil, c, f))
		var again oldTick
		if err := oldTickCodec.Take(stored, &again, nil); err != nil {
			t.Fatal(err)
		}
		if diff := equal(old, again); diff != "" {
			t.Error(diff)
		}
	}
}

// TestForeignUnknownFields holds that whatever MessagePack a field of a newer
// program holds, it survives: byte for byte, and through JSON by value.
func TestForeignUnknownFields(t *testing.T) {
	for _, value := range []string{
		"\xc0", "\xc3", "\x05", "\xff", "\xcf\xff\xff\xff\xff\xff\xff\xff\xff", "\xd3\x80\x00\x00\x00\x00\x00\x00\x00",
		"\xcb\x3f\xf8\x00\x00\x00\x00\x00\x00", "\xcb\x7f\xf8\x00\x00\x00\x00\x00\x01", "\xcb\xff\xf0\x00\x00\x00\x00\x00\x00", "\xcb\x7f\xf0\x00\x00\x00\x00\x00\x00",
		"\xcb\x80\x00\x00\x00\x00\x00\x00\x00", "\xcb\x44\xb5\x2d\x02\xc7\xe1\x4a\xf6",
		"\xa3abc", "\xa2\xff\xfe", "\xa7\"\\\x01\n\x7f\xc3\xbc", "\xc4\x02\x00\xff", "\xd4\x05\x01", "\xc7\x03\xff\x01\x02\x03", "\xd7\xff\x00\x00\x00\x00\x00\x00\x00\x00",
		"\x92\x01\x92\xc0\x80", "\x81\xa1a\x01", "\x82\x01\xa1a\xc0\x90", "\x81\xa4$bin\xa2AA", "\x82\xa1$\x01\xa2$$\x02", "\x81\xc4\x01x\x01", "\x81\xa1\xff\x01",
		"\xd6N1.50", "\xc7\x03Nabc", "\xd4N7",
	} {
		v := oldSample{ID: "a", Extra: "\xa3new" + value}
		b, err := oldSampleCodec.Append(nil, &v)
		if err != nil {
			t.Errorf("%q: %v", value, err)
			continue
		}
		var got oldSample
		if err := oldSampleCodec.Take(b, &got, nil); err != nil || got != v {
			t.Errorf("%q: %v, %+v", value, err, got)
		}
		j := must(t)(oldSampleCodec.Transcode(nil, b, wire.Format{JSON: true}))
		got = oldSample{}
		if err := oldSampleCodec.Take(j, &got, nil); err != nil {
			t.Errorf("%s: %v", j, err)
		}
		if got != v && value != "\xc7\x03Nabc" && value != "\xd4N7" {
			t.Errorf("%s: %q is not %q", j, got.Extra, v.Extra)
		}
		b = must(t)(oldSampleCodec.Append(nil, &got))
		if again := must(t)(oldSampleCodec.Transcode(nil, b, wire.Format{JSON: true})); string(again) != string(j) {
			t.Errorf("%s is not %s", again, j)
		}
	}
}

// TestForeignJSONSurvives holds that numbers of JSON in unknown fields keep
// their text, and that fields read them.
func TestForeignJSONSurvives(t *testing.T) {
	for _, value := range []string{
		"0", "-1", "1.50", "1.5", "1e5", "1E+5", "-0", "-0.0", "123456789012345678901234567890", "18446744073709551615", "18446744073709551616",
		"-9223372036854775808", "0.1", "1e400", `"text"`, `[1.0,{"a":[]}]`, "null", `{"$$bin":1}`,
	} {
		j := fmt.Sprintf(`{"id":"a","new":%s}`, value)
		var v oldSample
		if err := oldSampleCodec.Take([]byte(j), &v, nil); err != nil {
			t.Errorf("%s: %v", j, err)
			continue
		}
		b := must(t)(oldSampleCodec.Append(nil, &v))
		if again := must(t)(oldSampleCodec.Transcode(nil, b, wire.Format{JSON: true})); string(again) != j {
			t.Errorf("%s became %s", j, again)
		}
	}
	// A newer program whose field is a decimal or a float reads what an older
	// one took from JSON and wrote as MessagePack.
	var old oldSample
	if err := oldSampleCodec.Take([]byte(`{"id":"a","count":5,"weight":1.50,"price":1.50,"at":1,"on":true,"raw":"AA==","desk":"a:1","main":{"name":"n","ratio":-2.00},"legs":[],"by_name":{},"tags":[]}`), &old, nil); err != nil {
		t.Fatal(err)
	}
	var v sample
	if err := sampleCodec.Take(must(t)(oldSampleCodec.Append(nil, &old)), &v, nil); err != nil {
		t.Fatal(err)
	}
	want := sample{ID: "a", Count: 5, Weight: 1.5, Price: dec("1.50"), At: 1, On: true, Raw: []byte{0}, Desk: desk{"a", 1}, Main: leg{Name: "n", Ratio: some(dec("-2.00"))}}
	if diff := equal(want, v); diff != "" {
		t.Error(diff)
	}
}

// The straight line leaves an optional string that is there and empty to the
// canonicaliser: the canonical form does not have it.
func TestEmptyOptionalIsNotCanonical(t *testing.T) {
	b := []byte("\x82\xa2id\xa1x\xa4note\xa0")
	v := oldSample{Note: "old"}
	if _, ok := oldSampleCodec.Fast(b, &v); ok {
		t.Error("the straight line took it")
	}
	if err := oldSampleCodec.Take(b, &v, nil); err != nil || v.ID != "x" || v.Note != "" {
		t.Errorf("%+v, %v", v, err)
	}
}

// What a used value holds never hides that the input is another, or is bad.
func TestUsedValueHidesNothing(t *testing.T) {
	bad := "\xff234567"
	for _, id := range []string{"\xff", "\xff234", bad, bad + bad + "x", bad + bad + bad + bad + bad} {
		ok := oldSample{ID: strings.Repeat("i", len(id)), Note: strings.Repeat("n", 40)}
		v := oldSample{ID: id, Note: ok.Note}
		b := bytes.Replace(must2(oldSampleCodec.Append(nil, &ok)), []byte(ok.ID+"\xa4note"), []byte(id+"\xa4note"), 1)
		if err := oldSampleCodec.Take(b, &v, nil); !errors.Is(err, wire.ErrUTF8) {
			t.Errorf("%q: %v", id, err)
		}
	}
	for _, d := range []string{"1.5", "-1.5", "1.50", "15", "12345678.12345678", "-12345678.12345678", "0", "0.0"} {
		for _, old := range []string{"1.5", "-1.5", "1.50", "15", "12345678.12345678", "-12345678.12345678", "0", "0.0"} {
			from, v := tick{Bid: dec(d), Ask: dec(d), At: 1}, tick{Bid: dec(old), Ask: dec(old), At: 1}
			if err := tickCodec.Take(must2(tickCodec.Append(nil, &from)), &v, nil); err != nil || equal(from, v) != "" {
				t.Errorf("%s over %s: %v, %v", d, old, v, err)
			}
		}
	}
}
