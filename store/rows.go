package store

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/cache"
	"github.com/nacre-store/nacre/store/internal/write"
)

// Rows are the rows of a table. Values go in and values come out: the store
// keeps no pointer to a caller's row. Lists and maps inside a row that was
// read are shared with other readers: Clone the row before changing them.
// All methods are safe for concurrent use.
type Rows[K comparable, V any] struct{ Set[K, V] }

// Get returns the row, or an error that wraps [ErrNotFound]. Every error is a
// *[RowError].
//
// The row comes out of the near-cache where that is known to be current: what
// this store has written or returned is never taken back by an older row, and
// another client's acknowledged write is seen as soon as Redis has told of it,
// at the latest after Config.MaxAge. An option asks for more.
func (r Rows[K, V]) Get(ctx context.Context, id K, opts ...ReadOption) (V, error) {
	b := r.b
	if b.s.cfg.Observer != nil {
		return r.observedGet(ctx, id, opts)
	}
	if b.s.pending != nil {
		if row, ok, err := r.pendingGet(ctx, id, opts); ok {
			return row, err
		}
	}
	if b.s.cache == nil || r.tx != nil || b.err != nil {
		return r.get(ctx, id)
	}
	if age := ageOf(opts); age > 0 {
		if e := b.hit(id, age); e != nil {
			return e.row, nil
		}
	}
	row, err := b.fetch(ctx, b.Key.text(id))
	if err != nil {
		var none V
		return none, err
	}
	return *row, nil
}

// Peek returns the row if the near-cache has it and knows it to be current, or
// the buffer has it. It never waits and asks nobody.
func (r Rows[K, V]) Peek(id K) (V, bool) {
	if r.b.s.pending != nil {
		if row, ok, err := r.pendingGet(context.Background(), id, nil); ok {
			return row, err == nil
		}
	}
	if r.tx == nil && r.b.err == nil {
		if e := r.b.hit(id, cache.EntryMaxAge); e != nil {
			return e.row, true
		}
	}
	var none V
	return none, false
}

// get is Get without the cache.
func (r Rows[K, V]) get(ctx context.Context, id K) (V, error) {
	var v V
	b, text := r.b, r.b.Key.text(id)
	if b.err != nil {
		return v, rowError(b.Name, text, b.err)
	}
	raw, err := r.raw(ctx, text)
	if err != nil {
		return v, rowError(b.Name, text, err)
	}
	if raw == nil {
		return v, rowError(b.Name, text, ErrNotFound)
	}
	return b.decode(text, raw)
}

// raw returns the stored bytes of a row; nil where there is none.
func (r Rows[K, V]) raw(ctx context.Context, id string) ([]byte, error) {
	if r.tx != nil {
		return r.tx.row(ctx, r.b.base, id)
	}
	return r.b.s.row(ctx, r.b.base+id)
}

// row returns the stored bytes under a row's key, and leaves the key without
// an entry in the cache: an older one must not follow on what the caller sees.
func (s *Store) row(ctx context.Context, key string) ([]byte, error) {
	var f fill
	f.begin(s.cache, key)
	raw, err := f.get(ctx, s, key, false)
	f.end(nil)
	return raw, err
}

// chunk is how many rows one MGET asks for: enough to hide the round trip, few
// enough not to hold up others on the connection.
const chunk = 256

// GetMany yields the rows in the order of the ids, out of the near-cache like
// Get. A row that is missing or cannot be decoded yields a *[RowError] and the
// loop goes on; any other error is the last thing yielded.
func (r Rows[K, V]) GetMany(ctx context.Context, ids ...K) iter.Seq2[V, error] {
	return observed(ctx, r.b.s.shared, "get_many", r.b.Name, "", func(yield func(V, error) bool) {
		var zero V
		for part := range slices.Chunk(ids, chunk) {
			rows, errs, err := r.many(ctx, part)
			if err != nil {
				yield(zero, fmt.Errorf("%s: %w", r.b.Name, err))
				return
			}
			for i, e := range rows {
				v := zero
				if e != nil {
					v = e.row
				}
				if !yield(v, errs[i]) {
					return
				}
			}
		}
	})
}

// many returns rows or what is wrong with them, by place.
func (r Rows[K, V]) many(ctx context.Context, ids []K) ([]*cached[V], []error, error) {
	texts := make([]string, len(ids))
	for i, id := range ids {
		texts[i] = r.b.Key.text(id)
	}
	if r.b.s.pending == nil || r.tx != nil {
		return r.stored(ctx, ids, texts)
	}
	rows, errs := make([]*cached[V], len(ids)), make([]error, len(ids))
	others := r.pendingMany(texts, rows, errs)
	if len(others) == len(ids) {
		return r.stored(ctx, ids, texts)
	}
	var otherIDs []K
	var otherTexts []string
	for _, i := range others {
		otherIDs, otherTexts = append(otherIDs, ids[i]), append(otherTexts, texts[i])
	}
	theirs, wrong, err := r.stored(ctx, otherIDs, otherTexts)
	if err != nil {
		return nil, nil, err
	}
	for n, i := range others {
		rows[i], errs[i] = theirs[n], wrong[n]
	}
	return rows, errs, nil
}

// stored is many of rows of which nothing is pending.
func (r Rows[K, V]) stored(ctx context.Context, ids []K, texts []string) ([]*cached[V], []error, error) {
	if r.b.s.cache != nil && r.tx == nil && r.b.err == nil {
		rows := make([]*cached[V], len(ids))
		for i, id := range ids {
			rows[i] = r.b.hit(id, cache.EntryMaxAge)
		}
		errs, err := r.b.fetchMany(ctx, texts, rows)
		return rows, errs, err
	}
	raws, err := r.raws(ctx, texts)
	if err != nil {
		return nil, nil, err
	}
	rows, errs := make([]*cached[V], len(ids)), make([]error, len(ids))
	for i, raw := range raws {
		if raw == nil {
			errs[i] = rowError(r.b.Name, texts[i], ErrNotFound)
			continue
		}
		e := new(cached[V])
		if errs[i] = r.b.take(texts[i], raw, &e.row, nil); errs[i] == nil {
			rows[i] = e
		}
	}
	return rows, errs, nil
}

// raws returns the stored bytes of several rows in one round trip.
func (s Set[K, V]) raws(ctx context.Context, ids []string) ([][]byte, error) {
	if s.b.err != nil {
		return nil, s.b.err
	}
	raws := make([][]byte, len(ids))
	if s.tx != nil {
		for i, id := range ids {
			var err error
			if raws[i], err = s.tx.row(ctx, s.b.base, id); err != nil {
				return nil, err
			}
		}
		return raws, nil
	}
	keys := make([]string, len(ids))
	for i, id := range ids {
		keys[i] = s.b.base + id
	}
	err := s.b.s.read(ctx, func(c rueidis.Client) error {
		var err error
		raws, err = mget(ctx, c, keys)
		return err
	})
	return raws, err
}

// Put stores the row with its expiry and its index memberships in one atomic
// round trip. A table with a list has its history left alone: that is for
// import and correction, and the emitted Append methods are the way to change
// such a row.
//
// With a write buffer, Put returns when the row is accepted, as do all writes
// but Update and Commit: see Config.BufferIntervalMS.
func (r Rows[K, V]) Put(ctx context.Context, row V) (err error) {
	t := r.tx.time(ctx, r.b.s.shared, "put", r.b.Name, "")
	defer t.done(1, &err)
	if r.b.err != nil {
		return r.b.err
	}
	if r.tx == nil && r.b.s.pending != nil {
		return r.acceptPut(ctx, row)
	}
	buf := buffers.Get().(*[]byte)
	op, err := r.b.put(write.Put, row, *buf)
	if err != nil {
		buffers.Put(buf)
		return err
	}
	if err := r.send(ctx, op); err != nil {
		return err
	}
	if r.tx == nil {
		recycle(buf, op.Row)
	}
	return nil
}

// send hands an op to the commit, or to the store's write.
func (s Set[K, V]) send(ctx context.Context, op write.Op) error {
	if s.tx != nil {
		return s.tx.add(op)
	}
	return s.b.s.one(ctx, op)
}

// putBatch is how many rows PutMany has under way at once.
const putBatch = 100

// PutMany stores rows, pipelined. Each row is atomic, the whole is not: on an
// error the others have been stored, and the joined error names each row that
// has not. With a write buffer that has no room for a row, or when the context
// ends, the rows behind that one have not been stored either.
func (r Rows[K, V]) PutMany(ctx context.Context, rows iter.Seq[V]) (err error) {
	t, n := r.tx.time(ctx, r.b.s.shared, "put_many", r.b.Name, ""), 0
	defer t.doneSome(&n, &err)
	if r.b.err != nil {
		return r.b.err
	}
	var errs []error
	var ops []write.Op
	flush := func() {
		if len(ops) == 0 {
			return
		}
		for _, err := range r.b.s.write(ctx, write.Batch{Ops: ops}) {
			if err != nil {
				errs = append(errs, err)
			} else {
				n++
			}
		}
		ops = ops[:0]
	}
	for row := range rows {
		if r.tx == nil && r.b.s.pending != nil {
			if err := r.acceptPut(ctx, row); err == nil {
				n++
			} else if errs = append(errs, err); !errors.Is(err, ErrRefused) {
				break // no room, or no time: the rows behind are not accepted either
			}
			continue
		}
		op, err := r.b.put(write.Put, row, nil)
		if err == nil && r.tx != nil {
			err = r.tx.add(op)
		} else if err == nil {
			ops = append(ops, op)
		}
		if err != nil {
			errs = append(errs, err)
		}
		if len(ops) == putBatch {
			flush()
		}
		if ctx.Err() != nil {
			errs = append(errs, class(ErrUnavailable, ctx.Err()))
			break
		}
	}
	flush()
	return joinErrors(errs)
}

// Delete removes rows with their lists, hashes and index memberships. Ids that
// are not stored are no error. Each row is atomic, the whole is not.
func (r Rows[K, V]) Delete(ctx context.Context, ids ...K) (err error) {
	t := r.tx.time(ctx, r.b.s.shared, "delete", r.b.Name, "")
	defer t.done(len(ids), &err)
	if r.b.err != nil {
		return r.b.err
	}
	var errs []error
	var ops []write.Op
	for _, id := range ids {
		op := write.Op{Kind: write.Delete, NS: r.b.s.ns, Table: r.b.w, ID: r.b.Key.text(id)}
		if r.tx != nil {
			errs = append(errs, r.tx.add(op))
			continue
		}
		if r.b.s.pending != nil {
			errs = append(errs, r.b.s.accept(ctx, &op))
			continue
		}
		ops = append(ops, op)
	}
	for part := range slices.Chunk(ops, putBatch) {
		errs = append(errs, r.b.s.write(ctx, write.Batch{Ops: part})...)
	}
	return joinErrors(errs)
}
