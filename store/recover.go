package store

import (
	"context"
	"fmt"
	"iter"
	"strings"
	"sync"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/ahead"
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
			clear(b.rows)
			b.rows, b.errs = b.rows[:0], nil
			s.b.batches.Put(b)
		}
	}
}

// batch reads the rows with the ids and drops members that no row justifies.
func (s Set[K, V]) batch(ctx context.Context, from rueidis.Client, ids []string, p *ahead.Pace) *batch[V] {
	out, _ := s.b.batches.Get().(*batch[V])
	if out == nil {
		out = &batch[V]{rows: make([]V, 0, maxPart)}
	}
	raws, err := s.b.s.rowsFrom(ctx, from, s.b.base, ids)
	if err == nil {
		err = s.b.s.settle(ctx)
	}
	if err != nil {
		out.err = fmt.Errorf("%s: %w", s.b.Name, err)
		return out
	}
	in := interners.Get().(*wire.Interner)
	defer interners.Put(in)
	var stale []member
	bytes := 0
	for i, raw := range raws {
		bytes += len(raw)
		if raw == nil {
			stale = append(stale, member{id: ids[i]})
			continue
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
			stale = append(stale, member{ids[i], raw})
			clear(out.rows[n:])
			out.rows = out.rows[:n]
		case out.errs != nil:
			out.fail(n, nil)
		}
	}
	p.Saw(len(ids), bytes)
	s.b.s.reading.saw(len(ids), 0, bytes, out.errs)
	s.heal(ctx, stale)
	return out
}

// interners are for one decoder at a time.
var interners = sync.Pool{New: func() any { return wire.NewInterner() }}

// rowsFrom returns the stored bytes of the rows with the ids, nil for those
// that do not exist, in one round trip.
func (s *Store) rowsFrom(ctx context.Context, from rueidis.Client, base string, ids []string) ([][]byte, error) {
	var raws [][]byte
	keys := keysOf(base, ids)
	err := s.readFrom(ctx, from, func(c rueidis.Client) error {
		var err error
		raws, err = mget(ctx, c, keys)
		return err
	})
	return raws, err
}

// keysOf returns base + id for all ids, cut from one string.
func keysOf(base string, ids []string) []string {
	n := 0
	for _, id := range ids {
		n += len(base) + len(id)
	}
	var b strings.Builder
	b.Grow(n)
	for _, id := range ids {
		b.WriteString(base)
		b.WriteString(id)
	}
	all, keys := b.String(), make([]string, len(ids))
	for i, id := range ids {
		n := len(base) + len(id)
		keys[i], all = all[:n], all[n:]
	}
	return keys
}

// mget returns the bytes under the keys, nil for those that hold no string.
func mget(ctx context.Context, c rueidis.Client, keys []string) ([][]byte, error) {
	return stringsOf(c.Do(ctx, c.B().Mget().Key(keys...).Build()), len(keys))
}

// stringsOf reads the answer to an MGET of n keys.
func stringsOf(r rueidis.RedisResult, n int) ([][]byte, error) {
	ms, err := r.ToArray()
	if err != nil {
		return nil, err
	}
	if len(ms) != n {
		return nil, fmt.Errorf("MGET of %d keys answered %d", n, len(ms))
	}
	raws := make([][]byte, n)
	for i := range ms {
		if !ms[i].IsNil() {
			if raws[i], err = ms[i].AsBytes(); err != nil {
				return nil, err
			}
			if raws[i] == nil {
				raws[i] = []byte{} // stored, and no row
			}
		}
	}
	return raws, nil
}
