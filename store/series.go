package store

import (
	"context"
	"fmt"
	"iter"

	"github.com/nacre-store/nacre/store/internal/buffer"
	"github.com/nacre-store/nacre/store/internal/key"
	"github.com/nacre-store/nacre/store/internal/write"
	"github.com/nacre-store/nacre/store/wire"
)

// A Series is a capped list of elements for each id, such as the ticks of an
// instrument, oldest first. It takes no part in Commits. It is safe for
// concurrent use.
type Series[K comparable, E any] struct {
	s        *Store
	tx       *Tx
	t        *SeriesTable[K, E]
	w        *write.Table
	capacity int64
	err      error
}

// In returns the series on the session. It is for emitted code.
func (t *SeriesTable[K, E]) In(s Session) Series[K, E] {
	st, tx := s.session()
	k := st.known[t.Name]
	r := Series[K, E]{s: st, tx: tx, t: t, w: &write.Table{Name: t.Name, Base: st.ns.Series(t.Name)}, capacity: k.capacity}
	if k.self != Described(t) {
		r.err = refused("series %q: its package is not in Config.Schemas", t.Name)
	}
	return r
}

// Append adds elements at the end and drops the oldest beyond the capacity. A
// call whose outcome is unknown may have added them: unlike the list of a row,
// a series has no ids by which a repeated element would be found.
func (s Series[K, E]) Append(ctx context.Context, id K, es ...E) (err error) {
	t := s.s.time(ctx, "series_append", s.t.Name, "")
	defer t.done(len(es), &err)
	text, err := s.check(id)
	if err != nil || len(es) == 0 {
		return err
	}
	op := write.Op{Kind: write.SeriesAppend, NS: s.s.ns, Table: s.w, ID: text, Capacity: s.capacity}
	if over := int64(len(es)) - s.capacity; s.capacity > 0 && over > 0 {
		es = es[over:] // would be dropped at once
	}
	for i := range es {
		raw, err := encode(s.s, s.t.Codec, nil, &es[i])
		if err != nil {
			e := rowError(s.t.Name, text, err).(*RowError)
			e.Field, e.Err = joinField(fmt.Sprintf("[%d]", i), e.Field), class(ErrRefused, e.Err)
			return e
		}
		op.Elems = append(op.Elems, write.Elem{Value: raw})
	}
	return s.s.one(ctx, op)
}

// All yields the elements, oldest first. An element that cannot be decoded
// yields a *[RowError] and the loop goes on; any other error is the last thing
// yielded.
func (s Series[K, E]) All(ctx context.Context, id K) iter.Seq2[E, error] { return s.lrange(ctx, id, 0) }

// Last yields the newest n elements, oldest first, like All.
func (s Series[K, E]) Last(ctx context.Context, id K, n int) iter.Seq2[E, error] {
	if n <= 0 {
		return func(func(E, error) bool) {}
	}
	return s.lrange(ctx, id, -n)
}

func (s Series[K, E]) lrange(ctx context.Context, id K, from int) iter.Seq2[E, error] {
	return observed(ctx, s.s.shared, "series", s.t.Name, "", func(yield func(E, error) bool) {
		var zero E
		text, err := s.check(id)
		var raws [][]byte
		if err == nil {
			err = rowError(s.t.Name, text, s.s.acknowledged(ctx, buffer.Key{Base: s.w.Base, ID: text}))
		}
		if err == nil {
			raws, err = lrange(ctx, s.s, s.w.Base+text, from)
			err = rowError(s.t.Name, text, err)
		}
		if err != nil {
			yield(zero, err)
			return
		}
		in := wire.NewInterner()
		for i, raw := range raws {
			var e E
			err := rowError(s.t.Name, text, s.t.Codec.Take(raw, &e, in))
			if err, ok := err.(*RowError); ok {
				err.Field = joinField(fmt.Sprintf("[%d]", i), err.Field)
			}
			if !yield(e, err) {
				return
			}
		}
	})
}

func (s Series[K, E]) check(id K) (string, error) {
	text := s.t.Key.text(id)
	switch {
	case s.err != nil:
		return text, s.err
	case s.tx != nil:
		return text, rowError(s.t.Name, text, class(ErrUnsupported, fmt.Errorf("a series takes no part in a Commit")))
	}
	if err := key.CheckID(text); err != nil {
		return text, rowError(s.t.Name, text, class(ErrRefused, err))
	}
	return text, nil
}
