package store

import (
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/ahead"
	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/wire"
)

// The parts in which many rows are read.
const (
	firstPart = 128
	maxPart   = 512
	partBytes = 256 << 10
)

// A batch is a part of the rows of a set, read and checked.
type batch[V any] struct {
	rows []V     // zero behind its length, up to maxPart
	errs []error // of the rows at the same places; nil where there is none at all
	err  error   // of the whole part, which then has no rows
}

func (b *batch[V]) fail(at int, err error) {
	if b.errs == nil {
		b.errs = make([]error, at, cap(b.rows))
	}
	b.errs = append(b.errs, err)
}

// errOf is what is wrong with the row at the place.
func (b *batch[V]) errOf(i int) error {
	if i < len(b.errs) {
		return b.errs[i]
	}
	return nil
}

func (b *batch[V]) clear() {
	clear(b.rows)
	b.rows, b.errs = b.rows[:0], nil
}

// batches yields the rows of the set in parts. A part belongs to the consumer
// until the next one. The last part may be an error.
func (s Set[K, V]) batches(ctx context.Context) iter.Seq[*batch[V]] {
	return func(yield func(*batch[V]) bool) {
		ids, from, err := s.ids(ctx)
		if err != nil {
			yield(&batch[V]{err: err})
			return
		}
		s.b.s.reading.listed.Add(int64(len(ids)))
		p := ahead.Pace{First: firstPart, Max: maxPart, Bytes: partBytes}
		read := func(ctx context.Context, lo, hi int) *batch[V] {
			return s.batch(ctx, from, ids[lo:hi], &p)
		}
		for b := range ahead.Parts(ctx, len(ids), p.Size, read) {
			if !yield(b) || b.err != nil {
				return
			}
			b.clear()
			s.b.batches.Put(b)
		}
	}
}

// batch reads the rows with the ids and drops members that no row justifies.
func (s Set[K, V]) batch(ctx context.Context, from *conn.Strings, ids []string, p *ahead.Pace) *batch[V] {
	out, _ := s.b.batches.Get().(*batch[V])
	if out == nil {
		out = &batch[V]{rows: make([]V, 0, maxPart)}
	}
	in := interners.Get().(*wire.Interner)
	defer interners.Put(in)
	var stale []member
	bytes := 0
	each := func(i int, raw []byte) {
		if i == 0 { // perhaps not for the first time
			out.clear()
			stale, bytes = nil, 0
		}
		bytes += len(raw)
		if raw == nil {
			stale = append(stale, member{id: ids[i]})
			return
		}
		n := len(out.rows)
		out.rows = out.rows[:n+1] // which is zero behind its length
		v := &out.rows[n]
		err := s.b.take(ids[i], raw, v, in)
		if err == nil {
			err = s.b.inState(ids[i], v)
		}
		switch {
		case err != nil:
			clear(out.rows[n:]) // whatever could be read of it is no row
			out.fail(n, err)
		case !s.has(v):
			stale = append(stale, member{ids[i], slices.Clone(raw)})
			clear(out.rows[n:])
			out.rows = out.rows[:n]
		case out.errs != nil:
			out.fail(n, nil)
		}
	}
	err := s.b.s.read(ctx, func(rueidis.Client) error { return from.MGet(ctx, s.b.base, ids, each) })
	if err == nil {
		err = s.b.s.settle(ctx) // before anybody sees a row
	}
	if err != nil {
		return &batch[V]{err: fmt.Errorf("%s: %w", s.b.Name, err)}
	}
	p.Saw(len(ids), bytes)
	s.b.s.reading.saw(len(ids), 0, bytes, out.errs)
	s.heal(ctx, stale)
	return out
}

// interners are for one decoder at a time.
var interners = sync.Pool{New: func() any { return wire.NewInterner() }}
