package wire_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/store/wire"
)

var update = flag.Bool("update", false, "write goldens anew")

const errorsFile = "../../testdata/wire/errors.json"

// An errorCase is an input that must be refused: text, or bytes in hex.
type errorCase struct {
	Type  string `json:"type"`
	Text  string `json:"text,omitempty"`
	Hex   string `json:"hex,omitempty"`
	Error string `json:"error"`
}

// TestErrors compares errors with those of testdata/wire/errors.json, word for
// word: row, path, fault and offset.
func TestErrors(t *testing.T) {
	b, err := os.ReadFile(errorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var cases []errorCase
	if err := json.Unmarshal(b, &cases); err != nil {
		t.Fatal(err)
	}
	for i, c := range cases {
		in := []byte(c.Text)
		if c.Hex != "" {
			if in, err = hex.DecodeString(strings.ReplaceAll(c.Hex, " ", "")); err != nil {
				t.Fatal(err)
			}
		}
		s := subjectNamed(t, c.Type)
		err := s.take(in, s.fresh())
		if err == nil {
			t.Errorf("%s %s%s: no error", c.Type, c.Text, c.Hex)
			continue
		}
		if *update {
			cases[i].Error = err.Error()
		} else if err.Error() != c.Error {
			t.Errorf("%s %s%s\ngot  %s\nwant %s", c.Type, c.Text, c.Hex, err, c.Error)
		}
	}
	if *update {
		var out bytes.Buffer
		e := json.NewEncoder(&out)
		e.SetEscapeHTML(false)
		e.SetIndent("", " ")
		if err := e.Encode(cases); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(errorsFile, out.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// TestWriteErrors holds that what could not be read is not written, and that
// the error says where it is.
func TestWriteErrors(t *testing.T) {
	for _, c := range []struct {
		set   func(*sample)
		field string
		want  error
	}{
		{func(v *sample) { v.ID = "\xff" }, "id", wire.ErrUTF8},
		{func(v *sample) { v.ID = sampleID(strings.Repeat("x", 4097)) }, "id", wire.ErrTooLong},
		{func(v *sample) { v.ID = sampleID(strings.Repeat("\xff", 40)) }, "id", wire.ErrUTF8},
		{func(v *sample) { v.Info = strings.Repeat("x", 256<<10+1) }, "info", wire.ErrTooLong},
		{func(v *sample) { v.Weight = math.NaN() }, "weight", wire.ErrNaN},
		{func(v *sample) { v.Ratio.Value = math.Inf(-1) }, "ratio", wire.ErrNaN},
		{func(v *sample) { v.At = -1 }, "at", wire.ErrNegative},
		{func(v *sample) { v.Since = -1 }, "since", wire.ErrNegative},
		{func(v *sample) { v.Price = decimal.New(1, 64) }, "price", wire.ErrTooLong},
		{func(v *sample) { v.Price = decimal.New(1, -63) }, "price", wire.ErrTooLong},
		{func(v *sample) { v.Price = decimal.New(1, math.MaxInt32) }, "price", wire.ErrTooLong},
		{func(v *sample) { v.Price = decimal.New(1, math.MinInt32) }, "price", wire.ErrTooLong},
		{func(v *sample) { v.Desk.Desk = "\xff" }, "desk", wire.ErrUTF8},
		{func(v *sample) { v.Main.Name = "\xff" }, "main.name", wire.ErrUTF8},
		{func(v *sample) { v.Legs[1].Name = "\xff" }, "legs[1].name", wire.ErrUTF8},
		{func(v *sample) { v.Legs[0].Fees = map[string]decimal.Decimal{"USDT": decimal.New(1, 99)} }, `legs[0].fees["USDT"]`, wire.ErrTooLong},
		{func(v *sample) { v.Legs[0].Fees = map[string]decimal.Decimal{"\xff": {}} }, `legs[0].fees`, wire.ErrUTF8},
		{func(v *sample) { l := v.ByName["x"]; l.Name = "\xff"; v.ByName["x"] = l }, `by_name["x"].name`, wire.ErrUTF8},
		{func(v *sample) { v.ByName["\xff"] = leg{} }, `by_name`, wire.ErrUTF8},
		{func(v *sample) { v.Tags[2] = "\xff" }, "tags[2]", wire.ErrUTF8},
		{func(v *sample) { v.Words[0] = strings.Repeat("x", 101) }, "words_under_a_name_of_more_than_31_bytes[0]", wire.ErrTooLong},
		{func(v *sample) { v.Hedge.Value.Name = "\xff" }, "hedge.name", wire.ErrUTF8},
		{func(v *sample) { v.Ints = make([]int64, wire.MaxList+1) }, "ints", wire.ErrTooLong},
		{func(v *sample) { v.Times[1] = -1 }, "times[1]", wire.ErrNegative},
		{func(v *sample) { v.Floats[1] = math.NaN() }, "floats[1]", wire.ErrNaN},
		{func(v *sample) { v.FloatBy["f"] = math.NaN() }, `float_by["f"]`, wire.ErrNaN},
		{func(v *sample) { v.Blobs[1] = make([]byte, 4097) }, "blobs[1]", wire.ErrTooLong},
		{func(v *sample) { v.Extra = "\xa1x" }, "Extra", wire.ErrExtra},
		{func(v *sample) { v.Extra = "\x01\x01" }, "Extra", wire.ErrKey},
		{func(v *sample) { v.Extra = "\xa1x\x01\xa1x\x01" }, "Extra", wire.ErrDuplicate},
		{func(v *sample) { v.Extra = "\xa4note\x01" }, "Extra", wire.ErrDuplicate},
		{func(v *sample) { v.Extra = "\xa2id\xa1x" }, "Extra", wire.ErrExtra},
		{func(v *sample) { v.Extra = "\xa1\xff\x01" }, "Extra", wire.ErrUTF8},
		{func(v *sample) { v.Extra = "\xa1x" + strings.Repeat("\x91", 40) + "\x01" }, "Extra", wire.ErrTooDeep},
		{func(v *sample) {
			v.Extra = ""
			for i := range wire.MaxFields {
				v.Extra += "\xa3" + string([]byte{byte('a' + i/400), byte('A' + i/20%20), byte('a' + i%20)}) + "\x01"
			}
		}, "", wire.ErrTooLong},
		{func(v *sample) { v.Legs[1].Extra = "\xa1x" }, "legs[1].Extra", wire.ErrExtra},
		{func(v *sample) { v.Legs[1].Extra = "\xa4fees\x80" }, "legs[1].Extra", wire.ErrExtra},
		{func(v *sample) { v.Legs[1].Extra = "\xa5ratio\xa11" }, "legs[1].Extra", wire.ErrExtra},
		{func(v *sample) { v.Info = ""; v.Tags = repeated(strings.Repeat("x", 4000), 300) }, "", wire.ErrTooLong},
	} {
		v := full()
		c.set(v)
		before := []byte("before")
		b, err := v.MarshalMsg(before)
		e := (*wire.Error)(nil)
		if !errors.As(err, &e) || !errors.Is(err, c.want) || e.Field != c.field || e.Name != "sample" {
			t.Errorf("%s: got %v, want %v", c.field, err, c.want)
		}
		if string(b) != "before" {
			t.Errorf("%s: the buffer holds %.40q", c.field, b)
		}
		if _, err2 := sampleCodec.Append(nil, v); err2 == nil || err2.Error() != err.Error() {
			t.Errorf("%s: Append: %v, MarshalMsg: %v", c.field, err2, err)
		}
		if _, err := v.MarshalJSON(); !errors.Is(err, c.want) {
			t.Errorf("%s: MarshalJSON: %v", c.field, err)
		}
	}
}

func repeated(s string, n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = s
	}
	return list
}

// TestElementErrors is TestWriteErrors for the elements of a series, which have no keys.
func TestElementErrors(t *testing.T) {
	for _, c := range []struct {
		v     tick
		field string
	}{
		{tick{At: -1}, "at"},
		{tick{Ask: decimal.New(1, 99)}, "ask"},
		{tick{Venue: "\xff"}, "venue"},
		{tick{Leg: some(leg{Name: "\xff"})}, "leg.name"},
		{tick{Extra: "\xa1"}, "Extra"},
	} {
		_, err := tickCodec.Append(nil, &c.v)
		e := (*wire.Error)(nil)
		if !errors.As(err, &e) || e.Field != c.field {
			t.Errorf("got %v, want %s", err, c.field)
		}
	}
}
