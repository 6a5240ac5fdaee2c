package wire_test

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"github.com/nacre-store/nacre/store/wire"
)

// A vector is one value of testdata/wire; see the README there.
type vector struct {
	Name        string
	Canonical   hexBytes
	ISO8601     hexBytes
	JSON        string
	JSONISO8601 string `json:"json_iso8601"`
	Extra       hexBytes
	Foreign     map[string]hexBytes
}

type hexBytes []byte

func (h *hexBytes) UnmarshalText(text []byte) (err error) {
	*h, err = hex.DecodeString(string(text))
	return err
}

// eachVector runs f for every vector that was ever written.
func eachVector(t *testing.T, f func(t *testing.T, s subject, v vector)) {
	t.Helper()
	files, err := filepath.Glob("../../testdata/wire/v*/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no vectors: %v", err)
	}
	for _, file := range files {
		s := subjectNamed(t, strings.TrimSuffix(filepath.Base(file), ".json"))
		for _, v := range readVectors(t, file) {
			t.Run(s.name+"/"+v.Name, func(t *testing.T) { f(t, s, v) })
		}
	}
}

func readVectors(t testing.TB, file string) (vectors []vector) {
	t.Helper()
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &vectors); err != nil {
		t.Fatal(err)
	}
	return vectors
}

// value returns the Go value of v, made without the codec.
func (v vector) value(t *testing.T, s subject) any {
	var from any
	if err := json.Unmarshal([]byte(v.JSON), &from); err != nil {
		t.Fatal(err)
	}
	p := s.fresh()
	fill(reflect.ValueOf(p).Elem(), from)
	reflect.ValueOf(p).Elem().FieldByName("Extra").SetString(string(v.Extra))
	return p
}

// TestVectorsWritten checks what is written: one form, the same everywhere.
func TestVectorsWritten(t *testing.T) {
	eachVector(t, func(t *testing.T, s subject, v vector) {
		b, err := s.append([]byte("before"), v.value(t, s))
		if err != nil || string(b) != "before"+string(v.Canonical) {
			t.Errorf("%v\nwant %x\ngot  %x", err, v.Canonical, strings.TrimPrefix(string(b), "before"))
		}
		for f, want := range v.forms() {
			if got, err := s.transcode(v.Canonical, f); err != nil || string(got) != string(want) {
				t.Errorf("%+v: %v\nwant %q\ngot  %q", f, err, want, got)
			}
		}
	})
}

// forms returns the stored forms of v.
func (v vector) forms() map[wire.Format][]byte {
	return map[wire.Format][]byte{
		{}:                          v.Canonical,
		{ISO8601: true}:             v.ISO8601,
		{JSON: true}:                []byte(v.JSON),
		{JSON: true, ISO8601: true}: []byte(v.JSONISO8601),
	}
}

// TestVectorsRead checks what is read: stored forms and those of other writers
// give the same value, in a fresh variable and in a used one.
func TestVectorsRead(t *testing.T) {
	used := map[string]any{}
	eachVector(t, func(t *testing.T, s subject, v vector) {
		want := v.value(t, s)
		if used[s.name] == nil {
			used[s.name] = v.value(t, s)
		}
		check := func(what string, b []byte) {
			t.Helper()
			got := s.fresh()
			if err := s.take(b, got); err != nil {
				t.Fatalf("%s: %v\n%q", what, err, b)
			}
			if diff := equal(want, got); diff != "" {
				t.Errorf("%s: %s", what, diff)
			}
			if err := s.take(b, used[s.name]); err != nil {
				t.Fatalf("%s, used: %v", what, err)
			}
			if diff := equal(want, used[s.name]); diff != "" {
				t.Errorf("%s, used: %s", what, diff)
			}
			if again, err := s.append(nil, got); err != nil || string(again) != string(v.Canonical) {
				t.Errorf("%s, again: %v\nwant %x\ngot  %x", what, err, v.Canonical, again)
			}
		}
		for f, b := range v.forms() {
			check(formName(f), b)
		}
		for name, b := range v.Foreign {
			check(name, b)
			if c, used, err := s.canonical(append(b[:len(b):len(b)], 1, 2)); err != nil || used != len(b) || string(c) != string(v.Canonical) {
				t.Errorf("%s: canonical form, %d of %d: %v\nwant %x\ngot  %x", name, used, len(b), err, v.Canonical, c)
			}
		}
	})
}

func formName(f wire.Format) string {
	name := "msgpack"
	if f.JSON {
		name = "json"
	}
	if f.ISO8601 {
		name += ", ISO 8601"
	}
	return name
}
