package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/buffer"
	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/internal/key"
	"github.com/nacre-store/nacre/store/internal/write"
)

// startBuffer makes the write buffer of all tenants, if there is to be one.
func (sh *shared) startBuffer() {
	c := sh.cfg
	if c.BufferIntervalMS == 0 {
		return
	}
	o := buffer.Options{
		Interval: time.Duration(c.BufferIntervalMS) * time.Millisecond,
		Entries:  c.bufferEntries(), Bytes: c.bufferBytes(), MaxBlock: c.maxBlock(),
		Full: map[string]buffer.Full{"fail": buffer.Fail, "sync": buffer.Direct}[c.BufferFull],
		Send: sh.sendPending, Landed: sh.landed,
		Describe: func(op *write.Op, err error) error {
			return rowError(op.Table.Name, op.ID, errorClass(err))
		},
		OnError: c.OnError, Log: sh.log,
	}
	sh.buffer = buffer.New(o)
}

// pendingOf returns the part of the buffer that is the tenant's: one, however
// often the tenant is opened. It is nil without a buffer.
func (sh *shared) pendingOf(ns key.Namespace) *buffer.Tenant {
	if sh.buffer == nil {
		return nil
	}
	sh.pendingMu.Lock()
	defer sh.pendingMu.Unlock()
	if sh.pendings == nil {
		sh.pendings = map[string]*buffer.Tenant{}
	}
	t := sh.pendings[ns.String()]
	if t == nil {
		t = sh.buffer.Tenant()
		sh.pendings[ns.String()] = t
	}
	return t
}

// sendPending sends what the buffer has, which is of one tenant.
func (sh *shared) sendPending(ctx context.Context, steps []write.Batch) [][]write.Result {
	if m := sh.metaOf(steps[0].Ops[0].NS); m != nil {
		if err := m.Ready(ctx); err != nil {
			return refuseAll(steps, readyError(err))
		}
	}
	flights := make([]writing, len(steps))
	for i := range steps {
		flights[i].kept = true
		flights[i].begin(sh.cache, steps[i])
	}
	all := sh.exec.Try(ctx, steps)
	now := sh.conn.Now()
	for i := range steps {
		flights[i].end(&sh.near, now, steps[i], all[i])
	}
	return all
}

func refuseAll(steps []write.Batch, err error) [][]write.Result {
	all := make([][]write.Result, len(steps))
	for i := range steps {
		all[i] = slices.Repeat([]write.Result{{Err: err}}, len(steps[i].Ops))
	}
	return all
}

// readyError says of a write that it was not sent, unless the error is one that
// says more.
func readyError(err error) error {
	if conn.Classify(err) == conn.Unknown {
		return conn.NotSent(err)
	}
	return err
}

// landed looks for the elements of an append, of which no answer came, among
// the last ones of their series.
func (sh *shared) landed(ctx context.Context, op *write.Op) (bool, error) {
	c := sh.conn.Client
	ms, err := c.Do(ctx, c.B().Lrange().Key(op.RowKey()).Start(-int64(len(op.Elems)+landedAmong)).Stop(-1).Build()).ToArray()
	if err != nil {
		return false, readyError(err)
	}
	for at := 0; at+len(op.Elems) <= len(ms); at++ {
		n := 0
		for n < len(op.Elems) {
			if raw, _ := ms[at+n].ToString(); raw != string(op.Elems[n].Value) {
				break
			}
			n++
		}
		if n == len(op.Elems) {
			return true, nil
		}
	}
	return false, nil
}

// landedAmong is how many elements of others may have come behind them.
const landedAmong = 1000

// accept puts a write into the buffer.
func (s *Store) accept(ctx context.Context, op *write.Op) error {
	if !s.busy.begin() {
		return rowError(op.Table.Name, op.ID, ErrClosed)
	}
	defer s.busy.ops.Done()
	s.writes()
	err := s.pending.Accept(ctx, op)
	switch {
	case err == nil:
		return nil
	case errors.Is(err, buffer.ErrDirect):
		return s.direct(ctx, *op)
	case errors.Is(err, buffer.ErrFull):
		err = class(ErrBufferFull, err)
	case errors.Is(err, buffer.ErrTooLarge):
		err = class(ErrRefused, err)
	case errors.Is(err, buffer.ErrClosed):
		err = ErrClosed
	default: // the context has ended
		err = class(ErrUnavailable, err)
	}
	return rowError(op.Table.Name, op.ID, err)
}

// direct writes without the buffer, behind what that has of the key.
func (s *Store) direct(ctx context.Context, op write.Op) error {
	if err := s.acknowledged(ctx, pendingKey(&op)); err != nil {
		return rowError(op.Table.Name, op.ID, err)
	}
	op.Facts.In, op.Facts.Refs = slices.Clone(op.Facts.In), slices.Clone(op.Facts.Refs)
	return s.write(ctx, write.Batch{Ops: []write.Op{op}})[0]
}

func pendingKey(op *write.Op) buffer.Key { return buffer.Key{Base: op.Table.Base, ID: op.ID} }

// settleFor bounds how long an operation waits for writes that are pending.
const settleFor = 5 * time.Second

// acknowledged waits until what is pending of the keys has reached Redis, for
// an operation that goes there itself. Accepted earlier and written later, it
// would else undo what the operation does, or be missing in what it reads.
func (s *Store) acknowledged(ctx context.Context, keys ...buffer.Key) error {
	if s.pending == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	return readClass(s.pending.Settle(ctx, keys...))
}

// barrier waits until everything that is pending of the tenant has reached
// Redis, for operations that look at many rows.
func (s *Store) barrier(ctx context.Context) error {
	if s.pending == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, settleFor)
	defer cancel()
	return readClass(s.pending.Drain(ctx))
}

// flush is what Flush does about the buffer.
func (s *Store) flush(ctx context.Context) error {
	if s.pending == nil {
		return nil
	}
	var left error
	if err := s.pending.Drain(ctx); err != nil {
		left = s.left(err)
	}
	return joinErrors(append(s.pending.TakeErrors(), left))
}

// left names what is pending.
func (s *Store) left(cause error) error {
	l := s.pending.Left(maxJoined)
	var errs []error
	for _, op := range l.Example {
		errs = append(errs, rowError(op.Table.Name, op.ID, class(ErrUnavailable, errPending)))
	}
	if n := l.Steps - len(errs); n > 0 {
		errs = append(errs, fmt.Errorf("and %d more", n))
	}
	return errors.Join(append([]error{fmt.Errorf("%d buffered writes are not acknowledged: %w", l.Steps, readClass(cause))}, errs...)...)
}

var errPending = errors.New("accepted, and not acknowledged yet")

// pendingRow returns the row as the buffer will write it. It is not ok where
// the buffer has nothing that concerns the row itself; raw is nil where it will
// delete it.
func (b *bound[K, V]) pendingRow(id string) (raw []byte, ok bool) {
	if b.s.pending == nil || b.err != nil {
		return nil, false
	}
	return b.s.pending.Row(buffer.Key{Base: b.base, ID: id})
}

// pendingID tells whether the buffer has anything of the row. It allocates
// nothing, also where the id is no string.
func (b *bound[K, V]) pendingID(id K) bool {
	if text, ok := b.Key.plain(id); ok {
		return b.s.pending.Pending(buffer.Key{Base: b.base, ID: text})
	}
	p := keyBufs.Get().(*[]byte)
	defer keyBufs.Put(p)
	*p = b.Key.append((*p)[:0], id)
	return b.s.pending.Pending(buffer.Key{Base: b.base, ID: rueidis.BinaryString(*p)})
}

// pendingGet is Get of a row that the buffer has.
func (r Rows[K, V]) pendingGet(ctx context.Context, id K, opts []ReadOption) (v V, ok bool, err error) {
	if r.b.s.pending == nil || r.tx != nil || r.b.err != nil {
		return v, false, nil
	}
	if ageOf(opts) > 0 && !r.b.pendingID(id) {
		return v, false, nil
	}
	text := r.b.Key.text(id)
	if ageOf(opts) == 0 {
		err := r.b.s.acknowledged(ctx, buffer.Key{Base: r.b.base, ID: text})
		return v, err != nil, rowError(r.b.Name, text, err)
	}
	raw, ok := r.b.pendingRow(text)
	switch {
	case !ok:
		return v, false, nil
	case r.b.s.busy.closed.Load():
		return v, true, rowError(r.b.Name, text, ErrClosed)
	case raw == nil:
		return v, true, rowError(r.b.Name, text, ErrNotFound)
	}
	v, err = r.b.decode(text, raw)
	return v, true, err
}

// Pending tells whether a buffered write of this row, or of one of its lists
// and hashes, was accepted and is not acknowledged by Redis yet. Get shows
// pending rows, as they will be; others do not see them, and a write that then
// fails for good was seen in vain.
func (r Rows[K, V]) Pending(id K) bool {
	if r.b.s.pending == nil || r.b.err != nil {
		return false
	}
	return r.b.pendingID(id)
}

// acceptPut is Put into the buffer.
func (r Rows[K, V]) acceptPut(ctx context.Context, row V) error {
	b := r.b
	f, _ := b.spare.Get().(*write.Facts)
	if f == nil {
		f = &write.Facts{}
	}
	op, err := b.putWith(write.Put, row, nil, write.Facts{In: f.In[:0], Refs: f.Refs[:0]})
	if err == nil {
		err = b.s.accept(ctx, &op)
	}
	f.In, f.Refs = op.Facts.In, op.Facts.Refs
	b.spare.Put(f)
	return err
}

// pendingMany takes the rows out that the buffer has, and returns the places of
// the others.
func (r Rows[K, V]) pendingMany(texts []string, rows []*cached[V], errs []error) (others []int) {
	for i, text := range texts {
		raw, ok := r.b.pendingRow(text)
		switch {
		case !ok:
			others = append(others, i)
		case raw == nil:
			errs[i] = rowError(r.b.Name, text, ErrNotFound)
		default:
			e := new(cached[V])
			if errs[i] = r.b.take(text, raw, &e.row, nil); errs[i] == nil {
				rows[i] = e
			}
		}
	}
	return others
}

// holdFor is how long, at most, an operation that has met a conflict keeps the
// buffer from writing the same rows again.
const holdFor = 20 * time.Millisecond

// hold keeps the keys quiet for another try, so that a busy writer of this
// process does not make it fail again and again.
func (s *Store) hold(keys []buffer.Key) {
	if s.pending != nil {
		s.pending.Hold(keys, holdFor)
	}
}

func (s *Store) free(keys []buffer.Key) {
	if s.pending != nil && len(keys) > 0 {
		s.pending.Free(keys)
	}
}

// closeBuffer is what Close does about the buffer: a view's part of it is
// flushed, all of it is closed with the store itself.
func (s *Store) closeBuffer(ctx context.Context) error {
	switch {
	case s.buffer == nil:
		return nil
	case s.view:
		return s.flush(ctx)
	}
	return joinErrors(s.buffer.Close(ctx))
}
