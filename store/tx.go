package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/buffer"
	"github.com/nacre-store/nacre/store/internal/write"
)

// A Tx collects what the function of a Commit reads and writes. It is a
// [Session], so that trading.New(tx) gives repositories inside the Commit. It
// is not safe for concurrent use and dead once the function has returned.
//
// Rows, lists and hashes read Redis, see the function's own writes, and what
// was read is compared when the Commit is carried out. All, Count and Watch of
// a set, Verify, and series are [ErrUnsupported].
type Tx struct {
	s      *Store
	rows   map[string][]byte            // as read; nil is absent
	hashes map[string]map[string][]byte // fields as read; nil is absent
	whole  map[string]bool              // hashes of which every field was read
	lists  map[string]listRead
	ops    []write.Op
	done   bool

	touched []buffer.Key // of which nothing that was pending is
}

// listRead is a list as read, with the number of elements ever appended.
type listRead struct {
	elems [][]byte
	seen  string
	total string
}

func (tx *Tx) session() (*Store, *Tx) { return tx.s, tx }

// commitTries bounds how often Commit and Update run their function.
const commitTries = 32

// Commit carries out everything that fn writes as one atomic step: all or
// nothing. What fn read, absence included, must still be so at that instant;
// otherwise nothing is written and fn runs again, so it must have no effect
// but on tx. After bounded tries the error wraps [ErrConflict]. An error of fn
// ends the Commit and is returned. A Commit that only reads is a consistent
// view of what it read. It spans the tables of one tenant.
func (s *Store) Commit(ctx context.Context, fn func(tx *Tx) error) (err error) {
	t, n := s.time(ctx, "commit", "", ""), 0
	defer t.doneSome(&n, &err)
	var held []buffer.Key
	defer func() { s.free(held) }()
	for try := range commitTries {
		if try > 0 {
			s.hold(held)
			backOff(ctx, try)
		}
		tx := &Tx{s: s, rows: map[string][]byte{}, hashes: map[string]map[string][]byte{}, whole: map[string]bool{}, lists: map[string]listRead{}}
		err = fn(tx)
		tx.done = true
		if err == nil {
			err, n = tx.commit(ctx), len(tx.ops)
		} else if !errors.Is(err, ErrConflict) {
			return err
		}
		if !errors.Is(err, ErrConflict) || ctx.Err() != nil {
			break
		}
		held = tx.touched
	}
	if err != nil {
		n = 0
		return fmt.Errorf("commit: %w", err)
	}
	return nil
}

func backOff(ctx context.Context, try int) {
	select {
	case <-ctx.Done():
	case <-time.After(rand.N(min(time.Duration(try)*200*time.Microsecond, 5*time.Millisecond))):
	}
}

func (tx *Tx) commit(ctx context.Context) error {
	var checks []write.Check
	for _, k := range slices.Sorted(maps.Keys(tx.rows)) {
		checks = append(checks, write.RowIs(k, tx.rows[k]))
	}
	for _, k := range slices.Sorted(maps.Keys(tx.hashes)) {
		n := 0
		for _, f := range slices.Sorted(maps.Keys(tx.hashes[k])) {
			checks = append(checks, write.FieldIs(k, f, tx.hashes[k][f]))
			if tx.hashes[k][f] != nil {
				n++
			}
		}
		if tx.whole[k] {
			checks = append(checks, write.FieldsAre(k, n))
		}
	}
	for _, k := range slices.Sorted(maps.Keys(tx.lists)) {
		l := tx.lists[k]
		var last []byte
		if n := len(l.elems); n > 0 {
			last = l.elems[n-1]
		}
		checks = append(checks, write.ListIs(k, l.seen, l.total, last)...)
	}
	if len(checks) == 0 && len(tx.ops) == 0 {
		return nil
	}
	b := write.Batch{Ops: tx.ops, Atomic: true, Checks: checks}
	for i := range tx.ops {
		if err := tx.touch(ctx, pendingKey(&tx.ops[i])); err != nil {
			return err
		}
	}
	if len(tx.ops) > 0 {
		return tx.s.write(ctx, b)[0]
	}
	return tx.s.verify(ctx, checks)
}

// verify carries out checks alone.
func (s *Store) verify(ctx context.Context, checks []write.Check) error {
	return s.busy.enter(func() error { return readClass(s.exec.Check(ctx, checks)) })
}

// touch waits, for a row that the function reads or writes for the first time,
// until what is pending of it has reached Redis.
func (tx *Tx) touch(ctx context.Context, key buffer.Key) error {
	if tx.s.pending == nil || slices.Contains(tx.touched, key) {
		return nil
	}
	err := tx.s.acknowledged(ctx, key)
	if err == nil {
		tx.touched = append(tx.touched, key)
	}
	return err
}

var errTxDone = errors.New("the Commit has ended; its Tx cannot be used any more")

// add takes a write of the function.
func (tx *Tx) add(op write.Op) error {
	if tx.done {
		return rowError(op.Table.Name, op.ID, class(ErrRefused, errTxDone))
	}
	if op.Kind == write.Append && op.Count >= 0 {
		if n, ok := tx.refilled(&op); ok && op.Count != n {
			err := fmt.Errorf("%s: the row counts %d elements, in a list that this Commit has emptied there are %d", op.Part, op.Count, n)
			return rowError(op.Table.Name, op.ID, class(ErrRefused, err))
		}
	}
	tx.ops = append(tx.ops, op)
	return nil
}

// refilled returns how many elements a list has after the op, if the same
// function has emptied it before.
func (tx *Tx) refilled(op *write.Op) (n int64, ok bool) {
	n = int64(len(op.Elems))
	for _, o := range slices.Backward(tx.ops) {
		if o.Removes(op.PartKey()) {
			return n, true
		}
		if o.Kind == write.Append && o.PartKey() == op.PartKey() {
			n += int64(len(o.Elems))
		}
	}
	return 0, false
}

// row returns a row's bytes as the function must see them.
func (tx *Tx) row(ctx context.Context, base, id string) ([]byte, error) {
	key := base + id
	if tx.done {
		return nil, class(ErrRefused, errTxDone)
	}
	for _, o := range slices.Backward(tx.ops) {
		if o.Kind != write.Put && o.Kind != write.Append && o.Kind != write.Delete || o.RowKey() != key {
			continue
		}
		return o.Row, nil
	}
	if raw, ok := tx.rows[key]; ok {
		return raw, nil
	}
	err := tx.touch(ctx, buffer.Key{Base: base, ID: id})
	var raw []byte
	if err == nil {
		raw, err = tx.s.row(ctx, key)
	}
	if err == nil {
		tx.rows[key] = raw
	}
	return raw, err
}

// list returns a list's elements as the function must see them.
func (tx *Tx) list(ctx context.Context, key, seen string) ([][]byte, error) {
	if tx.done {
		return nil, class(ErrRefused, errTxDone)
	}
	l, ok := tx.lists[key]
	if !ok {
		err := tx.s.read(ctx, func(c rueidis.Client) error {
			// The total first: an element that is appended between the two
			// reads then shows as a conflict.
			total, err := hget(ctx, c, seen, "")
			if err != nil {
				return err
			}
			if l.total = string(total); total == nil {
				l.total = "0"
			}
			l.seen = seen
			l.elems, err = lrangeBy(ctx, c, key, 0)
			return err
		})
		if err != nil {
			return nil, err
		}
		tx.lists[key] = l
	}
	elems := slices.Clone(l.elems)
	for _, o := range tx.ops {
		switch {
		case o.Removes(key):
			elems = nil
		case o.Kind == write.Append && o.PartKey() == key:
			for _, e := range o.Elems {
				elems = append(elems, e.Value)
			}
		}
	}
	return elems, nil
}

// hash returns a hash's fields as the function must see them.
func (tx *Tx) hash(ctx context.Context, key string) (map[string][]byte, error) {
	if tx.done {
		return nil, class(ErrRefused, errTxDone)
	}
	if !tx.whole[key] {
		var all map[string][]byte
		err := tx.s.read(ctx, func(c rueidis.Client) error {
			var err error
			all, err = hgetall(ctx, c, key)
			return err
		})
		if err != nil {
			return nil, err
		}
		for f, raw := range tx.hashes[key] {
			if string(all[f]) != string(raw) || (all[f] == nil) != (raw == nil) {
				return nil, class(ErrConflict, fmt.Errorf("%s: field %q changed between two reads", key, f))
			}
		}
		was := tx.hashes[key]
		tx.hashes[key], tx.whole[key] = all, true
		for f, raw := range was {
			tx.hashes[key][f] = raw
		}
	}
	fields := map[string][]byte{}
	for f, raw := range tx.hashes[key] {
		if raw != nil {
			fields[f] = raw
		}
	}
	tx.overlay(key, fields)
	return fields, nil
}

// field returns one field of a hash as the function must see it.
func (tx *Tx) field(ctx context.Context, key, field string) ([]byte, error) {
	if tx.done {
		return nil, class(ErrRefused, errTxDone)
	}
	raw, ok := tx.hashes[key][field]
	if !ok && !tx.whole[key] {
		err := tx.s.read(ctx, func(c rueidis.Client) error {
			var err error
			raw, err = hget(ctx, c, key, field)
			return err
		})
		if err != nil {
			return nil, err
		}
		if tx.hashes[key] == nil {
			tx.hashes[key] = map[string][]byte{}
		}
		tx.hashes[key][field] = raw
	}
	fields := map[string][]byte{}
	if raw != nil {
		fields[field] = raw
	}
	tx.overlay(key, fields)
	return fields[field], nil
}

// overlay applies the function's own writes to a hash.
func (tx *Tx) overlay(key string, fields map[string][]byte) {
	for _, o := range tx.ops {
		switch {
		case o.Removes(key):
			clear(fields)
		case (o.Kind == write.HashPut || o.Kind == write.HashDelete) && o.PartKey() == key:
			for _, e := range o.Elems {
				if o.Kind == write.HashPut {
					fields[e.ID] = e.Value
				} else {
					delete(fields, e.ID)
				}
			}
		}
	}
}
