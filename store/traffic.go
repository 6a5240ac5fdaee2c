package store

import (
	"context"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/internal/write"
)

// All that a store sends to Redis about rows, lists, hashes and series goes
// through read and write.

// read runs f until it succeeds, fails for good or the bound on retries ends.
func (s *Store) read(ctx context.Context, f func(rueidis.Client) error) error {
	return s.readFrom(ctx, s.conn.Client, f)
}

// readFrom is read with a client of the connection.
func (s *Store) readFrom(ctx context.Context, from rueidis.Client, f func(rueidis.Client) error) error {
	return s.busy.enter(func() error {
		return readClass(conn.Retry(ctx, func() error {
			if err := conn.Alive(ctx); err != nil {
				return err
			}
			err := f(from)
			if conn.Classify(err) == conn.Unknown && ctx.Err() == nil {
				err = conn.NotSent(err) // a read whose reply is lost can be asked again
			}
			return err
		}))
	})
}

// write is the one way by which anything is written: every change of every
// method passes here. The errors stand in the order of the ops.
func (s *Store) write(ctx context.Context, b write.Batch) []error {
	errs := make([]error, len(b.Ops))
	err := s.busy.enter(func() error {
		if err := s.ready(ctx); err != nil {
			return err
		}
		s.writes()
		var w writing
		w.begin(s.cache, b)
		rs := s.exec.Do(ctx, b)
		w.end(&s.near, s.conn.Now(), b, rs)
		for i, r := range rs {
			errs[i] = errorClass(r.Err)
		}
		return nil
	})
	for i := range errs {
		if err != nil {
			errs[i] = err
		}
		errs[i] = rowError(b.Ops[i].Table.Name, b.Ops[i].ID, errs[i])
	}
	return errs
}

// one writes a single op, through the buffer if there is one.
func (s *Store) one(ctx context.Context, op write.Op) error {
	if s.pending != nil {
		return s.accept(ctx, &op)
	}
	return s.write(ctx, write.Batch{Ops: []write.Op{op}})[0]
}
