package target

import (
	"context"
	"testing"
	"time"

	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// What a buffered store accepted is durable no sooner than its interval lets it be and is in Redis after Drain:
// the raw client then reads every row as it was written last.
func TestBuffered(t *testing.T) {
	srv, _, raw, set := loaded(t)
	const interval = 200 * time.Millisecond
	s, err := store.Open(t.Context(), store.Config{
		Database: store.DatabaseConfig{Host: "127.0.0.1", Port: srv.Port()}, Schemas: []store.Schema{trading.Schema},
		BufferIntervalMS: int(interval.Milliseconds()),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	keys, err := ParseKeys("zipf", set.Len()) // Popular rows are accepted again before they are sent.
	if err != nil {
		t.Fatal(err)
	}
	mix := Mix{Set: set, Keys: keys, Writes: 80, Seed: 1}
	b := NewBuffered(s, mix, load.Slots)
	defer b.Close()
	o := load.NewOpen(b, 8, load.Fixed, 1)
	defer o.Close()
	for range 2 {
		if err := o.Run(t.Context(), 8000, interval/2); err != nil {
			t.Fatal(err)
		}
		if err := b.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	got := b.Collect(o.Collect())
	if got.Errors+got.Mismatch > 0 || got.Done != got.Planned {
		t.Errorf("%d of %d, %d errors, %d mismatches: %v", got.Done, got.Planned, got.Errors, got.Mismatch, got.First)
	}
	if n := s.Stats().Buffer.Coalesced; n == 0 {
		t.Error("nothing was accepted twice: the rows are too many")
	}
	accepted, durable := time.Duration(got.Service[load.Write].ValueAtQuantile(50)), time.Duration(got.Durable.ValueAtQuantile(50))
	t.Logf("accepted in %v, durable in %v at p50 and %v at least, %d watched", accepted, durable, time.Duration(got.Durable.Min()), got.Durable.TotalCount())
	if n := got.Durable.TotalCount(); n < watched || durable < interval*3/4 || durable < accepted {
		t.Errorf("%d writes were durable in %v, accepted in %v; the interval is %v", n, durable, accepted, interval)
	}
	if max := time.Duration(got.Durable.Max()); max > 30*interval {
		t.Errorf("a write was durable after %v", max)
	}
	read := NewRaw(raw, Mix{Set: set, Keys: uniform(set.Len()), Seed: 1}, 1)
	for row := range set.Len() {
		read.slots[0].row = row
		if err := read.Do(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if err := read.Check(0); err != nil {
			t.Fatal(err)
		}
	}
	if again := b.Collect(o.Collect()); again.Durable.TotalCount() != 0 {
		t.Error("Collect does not empty")
	}
}

// A write that is accepted and then fails is an error of the run, not a silence.
func TestBufferedFailsLate(t *testing.T) {
	srv, _, _, set := loaded(t)
	s, err := store.Open(t.Context(), store.Config{
		Database: store.DatabaseConfig{Host: "127.0.0.1", Port: srv.Port()}, Schemas: []store.Schema{trading.Schema}, BufferIntervalMS: 20,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close(context.Background())
	row := 1
	for _, cmd := range [][]string{{"DEL", set.Key(row)}, {"RPUSH", set.Key(row), "no row"}} {
		if _, err := srv.Do(cmd...); err != nil {
			t.Fatal(err)
		}
	}
	b := NewBuffered(s, Mix{Set: set, Keys: fixed(row), Writes: 100, Seed: 1}, 1)
	defer b.Close()
	b.Prepare(0)
	b.take(0, row)
	b.mine[0].row = -1
	if err := b.Do(t.Context(), 0); err != nil {
		t.Fatalf("not accepted: %v", err)
	}
	if err := b.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	if got := b.Collect(load.NewSample()); got.Errors != 1 || got.First == nil {
		t.Errorf("%d errors, first %v, want the write that failed", got.Errors, got.First)
	}
}
