package wire_test

import (
	"encoding/json"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/store/wire"
)

func itoa(v int64) string          { return strconv.FormatInt(v, 10) }
func atoi(s string) (int64, error) { return strconv.ParseInt(s, 10, 64) }

func dec(s string) decimal.Decimal { return decimal.RequireFromString(s) }

func some[T any](v T) Opt[T] { return Opt[T]{Value: v, Valid: true} }

// full returns a row with a value in every field.
func full() *sample {
	l := leg{Name: "near", Ratio: some(dec("-1.50")), Fees: map[string]decimal.Decimal{"USDT": dec("0.10"), "BNB": dec("0.000000001")}}
	return &sample{
		ID: "S-1", Count: -7, Weight: 0.25, Price: dec("46271.10"), At: 1700000000123456789, On: true,
		Raw: []byte{0, 1, 2}, Desk: desk{"a:b%c", -5}, Main: l, Legs: []leg{l, {Name: "far", Extra: "\xa3new\x01"}},
		ByName: map[string]leg{"x": l, "b": {Name: "c"}}, Tags: []string{"a", "", "ü"}, Note: "n", Info: strings.Repeat("i", 5000),
		Number: 3, Since: 1, Hits: some(int64(0)), Ratio: some(1.0), Flag: some(false), Peak: some(dec("123456789012345678901234567890.12345678")),
		Blob: []byte("blob"), Other: desk{"d", 1}, Hedge: some(l), Words: []string{"w"}, Ints: []int64{1, -1, 300, -300, 1 << 40}, Times: []int64{0, 5},
		Desks: []desk{{"q", 2}}, Prices: []decimal.Decimal{dec("1"), dec("0.00")}, Bools: []bool{true, false}, Floats: []float64{1.5, -0.5},
		Blobs: [][]byte{{1}, nil}, WordBy: map[string]string{"a": "b", "": "c"}, IntBy: map[string]int64{"k": -129}, TimeBy: map[string]int64{"k": 129},
		DeskBy: map[string]desk{"k": {"x", 9}}, PriceBy: map[string]decimal.Decimal{"p": dec("10.0")}, BoolBy: map[string]bool{"t": true},
		FloatBy: map[string]float64{"f": 2}, BlobBy: map[string][]byte{"b": {9}},
		Extra: "\xa5newer\x93\x01\x02\xa1x\xa5thing\xc0",
	}
}

// minimal returns a row with nothing in it.
func minimal() *sample { return &sample{} }

func TestRoundTrip(t *testing.T) {
	for name, v := range map[string]*sample{"full": full(), "minimal": minimal()} {
		b, err := v.MarshalMsg(nil)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for used, got := range map[string]*sample{"fresh": {}, "used": full()} {
			rest, err := got.UnmarshalMsg(append(b[:len(b):len(b)], "rest"...))
			if err != nil || string(rest) != "rest" {
				t.Fatalf("%s %s: %v, rest %q", name, used, err, rest)
			}
			again, err := got.MarshalMsg(nil)
			if err != nil || string(again) != string(b) {
				t.Errorf("%s %s: %v\n%x\n%x", name, used, err, b, again)
			}
		}
		j, err := json.Marshal(v)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var got sample
		if err := json.Unmarshal(j, &got); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, j)
		}
		again, err := got.MarshalMsg(nil)
		if err != nil || string(again) != string(b) {
			t.Errorf("%s json: %v\n%x\n%x", name, err, b, again)
		}
		var want sample
		if _, err := want.UnmarshalMsg(b); err != nil || !reflect.DeepEqual(want, got) {
			t.Errorf("%s json: %v\n%+v\n%+v", name, err, want, got)
		}
	}
}

func TestTick(t *testing.T) {
	for _, v := range []tick{
		{Bid: dec("1.1"), Ask: dec("1.2"), At: 5},
		{Bid: dec("1.1"), Ask: dec("1.2"), At: 5, Venue: "V"},
		{Bid: dec("1.1"), Ask: dec("1.2"), At: 5, Size: some(dec("7"))},
		{Bid: dec("1.1"), Ask: dec("1.2"), At: 5, Extra: "\xc0\x01"},
		{Bid: dec("1.1"), Ask: dec("1.2"), At: 5, Leg: some(leg{Name: "x", Fees: map[string]decimal.Decimal{"a": dec("1")}})},
	} {
		b, err := tickCodec.Append(nil, &v)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range []wire.Format{{}, {JSON: true}, {ISO8601: true}, {JSON: true, ISO8601: true}} {
			s, err := tickCodec.Transcode(nil, b, f)
			if err != nil {
				t.Fatal(err)
			}
			var got tick
			if err := tickCodec.Take(s, &got, nil); err != nil {
				t.Fatalf("%v %q", err, s)
			}
			if again, err := tickCodec.Append(nil, &got); err != nil || string(again) != string(b) {
				t.Errorf("%v: %x\n%x\n%x", err, s, again, b)
			}
		}
	}
}
