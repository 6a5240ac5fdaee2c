package store

import (
	"context"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/key"
	"github.com/nacre-store/nacre/store/internal/write"
)

// A Hash holds values by key that belong to one row, such as the balances of
// an account by currency. It lives as long as the row. It is safe for
// concurrent use.
type Hash[E any] struct{ p *part[E] }

// Of returns the hash of one row. It is for emitted code.
func (h *HashTable[K, V, E]) Of(r Rows[K, V], id K) Hash[E] {
	return Hash[E]{newPart(r, h.Name, id, h.Codec)}
}

// All returns all values. When some cannot be decoded, the others are returned
// together with an error that joins a *[RowError] for each of them.
func (h Hash[E]) All(ctx context.Context) (all map[string]E, err error) {
	t, n := h.p.s.time(ctx, "hash", h.p.table.Name, h.p.name), 0
	defer t.doneSome(&n, &err)
	if h.p.err != nil {
		return nil, h.p.err
	}
	raws, err := h.raws(ctx)
	if err != nil {
		return nil, h.p.fail(err)
	}
	all = make(map[string]E, len(raws))
	var errs []error
	for k, raw := range raws {
		e, err := h.p.decode(k, raw, nil)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		all[k] = e
	}
	n = len(all)
	return all, joinErrors(errs)
}

func (h Hash[E]) raws(ctx context.Context) (map[string][]byte, error) {
	if err := h.p.settled(ctx); err != nil {
		return nil, err
	}
	if h.p.tx != nil {
		return h.p.tx.hash(ctx, h.p.key())
	}
	var raws map[string][]byte
	err := h.p.s.read(ctx, func(c rueidis.Client) error {
		var err error
		raws, err = hgetall(ctx, c, h.p.key())
		return err
	})
	return raws, err
}

func hgetall(ctx context.Context, c rueidis.Client, key string) (map[string][]byte, error) {
	ms, err := c.Do(ctx, c.B().Hgetall().Key(key).Build()).AsMap()
	if err != nil {
		return nil, err
	}
	raws := make(map[string][]byte, len(ms))
	for k, m := range ms {
		if raws[k], err = m.AsBytes(); err != nil {
			return nil, err
		}
	}
	return raws, nil
}

// Get returns one value, or an error that wraps [ErrNotFound].
func (h Hash[E]) Get(ctx context.Context, key string) (value E, err error) {
	t := h.p.s.time(ctx, "hash_get", h.p.table.Name, h.p.name)
	defer t.done(1, &err)
	var zero E
	if h.p.err != nil {
		return zero, h.p.err
	}
	var raw []byte
	if err = h.p.settled(ctx); err != nil {
		// said below
	} else if h.p.tx != nil {
		raw, err = h.p.tx.field(ctx, h.p.key(), key)
	} else {
		err = h.p.s.read(ctx, func(c rueidis.Client) error {
			raw, err = hget(ctx, c, h.p.key(), key)
			return err
		})
	}
	if err == nil && raw == nil {
		err = ErrNotFound
	}
	if err != nil {
		e := rowError(h.p.table.Name, h.p.id, err).(*RowError)
		e.Field = h.p.name + "[" + key + "]"
		return zero, e
	}
	return h.p.decode(key, raw, nil)
}

// hget returns the bytes of a field; nil where there is none.
func hget(ctx context.Context, c rueidis.Client, key, field string) ([]byte, error) {
	raw, err := c.Do(ctx, c.B().Hget().Key(key).Field(field).Build()).AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, nil
	}
	return raw, err
}

// Put stores one value. The row must exist, else the error wraps
// [ErrNotFound]: a value without a row would belong to no index and never
// expire. A Commit that also puts the row needs no earlier one.
func (h Hash[E]) Put(ctx context.Context, k string, e E) (err error) {
	t := h.p.tx.time(ctx, h.p.s.shared, "hash_put", h.p.table.Name, h.p.name)
	defer t.done(1, &err)
	if h.p.err != nil {
		return h.p.err
	}
	err = key.CheckID(k)
	op := h.p.op(write.HashPut)
	if err == nil {
		op.Elems = []write.Elem{{ID: k}}
		op.Elems[0].Value, err = encode(h.p.s, h.p.codec, nil, &e)
	}
	if err != nil {
		e := rowError(h.p.table.Name, h.p.id, err).(*RowError)
		e.Field, e.Err = joinField(h.p.name+"["+k+"]", e.Field), class(ErrRefused, e.Err)
		return e
	}
	return h.p.send(ctx, op)
}

// Delete removes values. Keys that are not in the hash are no error.
func (h Hash[E]) Delete(ctx context.Context, keys ...string) (err error) {
	t := h.p.tx.time(ctx, h.p.s.shared, "hash_delete", h.p.table.Name, h.p.name)
	defer t.done(len(keys), &err)
	if h.p.err != nil || len(keys) == 0 {
		return h.p.err
	}
	op := h.p.op(write.HashDelete)
	for _, k := range keys {
		op.Elems = append(op.Elems, write.Elem{ID: k})
	}
	return h.p.send(ctx, op)
}
