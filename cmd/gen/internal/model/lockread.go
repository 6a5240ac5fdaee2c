package model

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/token"
	"slices"
	"strings"

	"github.com/nacre-store/nacre/cmd/gen/internal/source"
)

// readLock reads a lock and where its parts stand.
func readLock(path string, b []byte, errs *source.Errors) (lock, places) {
	at := places{"": token.Position{Filename: path, Line: 1, Column: 1}}
	offsets := newOffsets(path, b)
	bad := func(offset int64, format string, args ...any) {
		errs.Addf(offsets.position(offset), "lock", format, args...)
	}
	var version struct {
		Format int `json:"format"`
	}
	var l lock
	err := json.Unmarshal(b, &version)
	if err == nil && version.Format != lockFormat {
		bad(0, "its format is %d and this generator knows %d (use the generator of the module's version)", version.Format, lockFormat)
		return l, at
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err == nil {
		err = d.Decode(&l)
	}
	if err != nil {
		var syntax *json.SyntaxError
		var kind *json.UnmarshalTypeError
		offset := int64(0)
		what := strings.TrimPrefix(err.Error(), "json: ")
		switch {
		case errors.As(err, &syntax):
			offset = max(0, syntax.Offset-1)
		case errors.As(err, &kind):
			offset = max(0, kind.Offset-1)
			what = fmt.Sprintf("%s is a %s", kind.Field, kind.Value)
		default:
			_, name, _ := strings.Cut(what, "unknown field ")
			offset = int64(max(0, bytes.Index(b, []byte(name+":"))))
		}
		bad(offset, "%s (restore the file from version control: only it knows what is stored)", what)
		return l, at
	}
	d = json.NewDecoder(bytes.NewReader(b))
	at.read(d, func() token.Position { return offsets.position(d.InputOffset()) }, nil)
	return l, at
}

// read enters the places of one JSON value and of all inside: of a member
// under its key, of an element that has a "name" under that, of an element
// that is a word under the word. The text was decoded before, so it is sound.
func (p places) read(d *json.Decoder, here func() token.Position, names []string) {
	names = names[:len(names):len(names)]
	t, err := d.Token()
	if err != nil {
		return
	}
	if word, ok := t.(string); ok && len(names) > 0 {
		p.set(here(), append(names, word)...)
	}
	switch t {
	case json.Delim('{'):
		inner := names
		for d.More() {
			k, err := d.Token()
			if err != nil {
				return
			}
			key, _ := k.(string)
			pos := here()
			if key == "name" && len(names) > 0 && names[len(names)-1] == "fields" {
				if v, err := d.Token(); err == nil {
					inner = append(names, fmt.Sprint(v))
					p.set(pos, inner...)
				}
				continue
			}
			p.set(pos, append(inner, key)...)
			p.read(d, here, append(inner, key))
		}
		d.Token()
	case json.Delim('['):
		for d.More() {
			p.read(d, here, names)
		}
		d.Token()
	}
}

// offsets turns offsets of a text into positions.
type offsets struct {
	path  string
	lines []int64 // Offset of the start of each line.
}

func newOffsets(path string, b []byte) offsets {
	o := offsets{path, []int64{0}}
	for i, c := range b {
		if c == '\n' {
			o.lines = append(o.lines, int64(i+1))
		}
	}
	return o
}

func (o offsets) position(offset int64) token.Position {
	line, exact := slices.BinarySearch(o.lines, offset)
	if !exact {
		line--
	}
	return token.Position{Filename: o.path, Line: line + 1, Column: int(offset-o.lines[line]) + 1}
}
