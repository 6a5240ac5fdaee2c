package store

import (
	"context"
	"errors"
	"iter"
	"time"
)

// An Observer is told of every operation when it has ended, in the goroutine
// of its caller: for metrics, traces and the like. It must be fast and safe for
// concurrent use, and must not call the store. Package store/otel, a module of
// its own, has one for OpenTelemetry.
type Observer interface {
	// Observe gets the context that the operation was called with, in which an
	// enclosing span is found. The observation is complete: a span begins at
	// its Start and has lasted for its Duration.
	Observe(ctx context.Context, o Observation)
}

// An Observation is one operation as its caller has seen it.
type Observation struct {
	// Operation is "get", "get_many", "put", "put_many", "update", "delete",
	// "all", "count", "watch" or "verify" of rows; "append", "list", "list_len" or "clear" of a
	// list; "hash", "hash_get", "hash_put" or "hash_delete" of a hash; "series"
	// or "series_append"; "commit", "flush" or "purge".
	// What a Commit writes is one operation; what it reads are operations too.
	Operation string
	// Table is the type word of the table or series; "" where it is none.
	Table string
	// Part is the name of the list or hash, if the operation is about one.
	Part     string
	Start    time.Time
	Duration time.Duration // That of a loop includes what its body does.
	Rows     int           // Rows or elements that were read or written.
	Failed   int           // Of a loop: rows that were missing or could not be read.
	Cached   bool          // A row out of the near-cache: Redis was not asked.
	Err      error         // What the caller got.
}

// outcomes are the classes of errors by their names, the gravest first: an
// error can join several.
var outcomes = []struct {
	class error
	name  string
}{
	{ErrUnknownOutcome, "unknown"},
	{ErrUnavailable, "unavailable"},
	{ErrBufferFull, "buffer_full"},
	{ErrClosed, "closed"},
	{ErrRefused, "refused"},
	{ErrUnsupported, "unsupported"},
	{ErrIndexNotBuilt, "index_not_built"},
	{ErrConflict, "conflict"},
	{ErrNotFound, "not_found"},
}

// Outcome names the class of Err: "ok", "unknown", "unavailable",
// "buffer_full", "closed", "refused", "unsupported", "index_not_built",
// "conflict" or "not_found" after the error of that name, "bad_row" for a row
// that cannot be read, and "other" for an error of the caller's own.
func (o Observation) Outcome() string {
	if o.Err == nil {
		return "ok"
	}
	for _, c := range outcomes {
		if errors.Is(o.Err, c.class) {
			return c.name
		}
	}
	if _, ok := errors.AsType[*RowError](o.Err); ok {
		return "bad_row"
	}
	return "other"
}

// A timing is an operation under way. The zero value observes nothing.
type timing struct {
	to  Observer
	ctx context.Context
	o   Observation
}

// time begins an operation.
func (sh *shared) time(ctx context.Context, operation, table, part string) timing {
	if sh.cfg.Observer == nil {
		return timing{}
	}
	return timing{sh.cfg.Observer, ctx, Observation{Operation: operation, Table: table, Part: part, Start: time.Now()}}
}

// time begins a write, which inside a Commit is part of that.
func (tx *Tx) time(ctx context.Context, sh *shared, operation, table, part string) timing {
	if tx != nil {
		return timing{}
	}
	return sh.time(ctx, operation, table, part)
}

// done ends an operation on so many rows.
func (t *timing) done(rows int, err *error) {
	if t.to == nil {
		return
	}
	t.o.Duration = time.Since(t.o.Start)
	if t.o.Err = *err; t.o.Err == nil {
		t.o.Rows = rows
	}
	t.to.Observe(t.ctx, t.o)
}

// doneSome is done for operations of which a part can succeed.
func (t *timing) doneSome(rows *int, err *error) {
	if t.to != nil {
		t.o.Rows = *rows
		t.done(*rows, err)
	}
}

// observedGet is Get under the eyes of the observer.
func (r Rows[K, V]) observedGet(ctx context.Context, id K, opts []ReadOption) (row V, err error) {
	b := r.b
	t := b.s.time(ctx, "get", b.Name, "")
	defer t.done(1, &err)
	if row, ok, err := r.pendingGet(ctx, id, opts); ok {
		t.o.Cached = true
		return row, err
	}
	if b.s.cache == nil || r.tx != nil || b.err != nil {
		return r.get(ctx, id)
	}
	if age := ageOf(opts); age > 0 {
		if hit := b.hit(id, age); hit != nil {
			t.o.Cached = true
			return hit.row, nil
		}
	}
	got, err := b.fetch(ctx, b.Key.text(id))
	if err != nil {
		return row, err
	}
	return *got, nil
}

// observed is a loop that is observed.
func observed[V any](ctx context.Context, sh *shared, operation, table, part string, seq iter.Seq2[V, error]) iter.Seq2[V, error] {
	if sh.cfg.Observer == nil {
		return seq
	}
	return func(yield func(V, error) bool) {
		t := sh.time(ctx, operation, table, part)
		rows := 0
		defer func() {
			t.o.Duration, t.o.Rows = time.Since(t.o.Start), rows
			t.to.Observe(ctx, t.o)
		}()
		for v, err := range seq {
			if err == nil {
				rows++
			} else {
				t.failed(err)
			}
			if !yield(v, err) {
				return
			}
		}
	}
}

// failed takes an error that a loop yields: of one row, or of all of it.
func (t *timing) failed(err error) {
	switch (Observation{Err: err}).Outcome() {
	case "bad_row", "not_found":
		t.o.Failed++
	default:
		t.o.Err = err
	}
}
