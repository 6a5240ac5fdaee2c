package wire_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/nacre-store/nacre/store/wire"
)

// leaf, branch and tree have the shape of emitted structs: maps of structs
// inside maps of structs.
type (
	leaf   struct{ Name string }
	branch struct{ Leaves map[string]leaf }
	tree   struct{ Branches map[string]branch }
)

func (l *leaf) append(w *wire.Writer) {
	m := w.Map(1, 1)
	wire.PutString(w, "\xa4name", l.Name)
	w.End(m, "")
}

func (l *leaf) take(r *wire.Reader) {
	m := r.Map(1, 1)
	r.TakeString("\xa4name", &l.Name)
	var extra string
	r.End(m, &extra)
}

func (b *branch) append(w *wire.Writer) {
	m := w.Map(1, 1)
	for _, k := range wire.Keys(w, "\xa6leaves", b.Leaves, wire.Required) {
		e := b.Leaves[k]
		w.Entry(k)
		e.append(w)
	}
	w.End(m, "")
}

func (b *branch) take(r *wire.Reader) {
	m := r.Map(1, 1)
	for n := wire.TakeMap(r, "\xa6leaves", &b.Leaves, wire.Required, 7); n > 0; n-- {
		k := r.Entry()
		var e leaf
		e.take(r)
		b.Leaves[k] = e
	}
	var extra string
	r.End(m, &extra)
}

func (t *tree) append(w *wire.Writer) {
	m := w.Map(1, 1)
	for _, k := range wire.Keys(w, "\xa8branches", t.Branches, wire.Required) {
		e := t.Branches[k]
		w.Entry(k)
		e.append(w)
	}
	w.End(m, "")
}

func (t *tree) take(r *wire.Reader) {
	m := r.Map(1, 1)
	for n := wire.TakeMap(r, "\xa8branches", &t.Branches, wire.Required, 9); n > 0; n-- {
		k := r.Entry()
		var e branch
		e.take(r)
		t.Branches[k] = e
	}
	var extra string
	r.End(m, &extra)
}

// An inner map must not disturb the keys of the one around it.
func TestMapsInsideMaps(t *testing.T) {
	codec := wire.NewCodec("tree", (*tree).append, (*tree).take)
	want := tree{Branches: map[string]branch{
		"m": {map[string]leaf{"z": {"1"}, "a": {"2"}}},
		"z": {map[string]leaf{"b": {"3"}, "c": {"4"}, "a": {"5"}}},
		"a": {map[string]leaf{"x": {"6"}}},
	}}
	msg, err := codec.Append(nil, &want)
	if err != nil {
		t.Fatal(err)
	}
	var got tree
	if err := codec.Take(msg, &got, nil); err != nil || cmp.Diff(want, got) != "" {
		t.Fatalf("%v\n%s", err, cmp.Diff(want, got))
	}
}
