package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/nacre-store/nacre/store/internal/buffer"
	"github.com/nacre-store/nacre/store/internal/write"
)

// Update reads the row from Redis, lets fn change it and stores it if nobody
// else has changed it meanwhile; otherwise fn runs again on the newer row, so
// it must have no other effect. After bounded tries the error wraps
// [ErrConflict]. An error of fn ends the update and is returned. It returns
// the row as stored. fn gets a row of its own and may change everything in it
// but the id.
func (r Rows[K, V]) Update(ctx context.Context, id K, fn func(*V) error) (row V, err error) {
	t := r.tx.time(ctx, r.b.s.shared, "update", r.b.Name, "")
	defer t.done(1, &err)
	text := r.b.Key.text(id)
	if r.b.err != nil {
		return row, rowError(r.b.Name, text, r.b.err)
	}
	key := buffer.Key{Base: r.b.base, ID: text}
	for try := range commitTries {
		if try > 0 {
			r.b.s.hold([]buffer.Key{key})
			defer r.b.s.free([]buffer.Key{key})
			backOff(ctx, try)
		}
		if r.tx == nil {
			if err = r.b.s.acknowledged(ctx, key); err != nil {
				return row, rowError(r.b.Name, text, err)
			}
		}
		var raw []byte
		if raw, err = r.raw(ctx, text); err == nil && raw == nil {
			err = ErrNotFound
		}
		if err != nil {
			return row, rowError(r.b.Name, text, err)
		}
		if row, err = r.b.decode(text, raw); err != nil {
			return row, err
		}
		if err = fn(&row); err != nil {
			return row, err
		}
		var op write.Op
		if op, err = r.b.put(write.Put, row, nil); err != nil {
			return row, err
		}
		if op.ID != text {
			return row, r.b.refuse(text, fmt.Errorf("an update must not change the id (to %q)", op.ID))
		}
		if r.tx != nil {
			return row, r.tx.add(op)
		}
		err = r.b.s.write(ctx, write.Batch{Ops: []write.Op{op}, Atomic: true, Checks: []write.Check{write.RowIs(op.RowKey(), raw)}})[0]
		if !errors.Is(err, ErrConflict) || ctx.Err() != nil {
			break
		}
	}
	return row, err
}
