package repodesk

import (
	"testing"

	"github.com/nacre-store/nacre/store"

	"example.com/repodesk/gen/repo"
)

// A row that is near is read without an allocation, also where its id has
// several parts and numbers among them.
func TestHitAllocs(t *testing.T) {
	for name, interval := range map[string]int{"direct": 0, "buffered": 1} {
		t.Run(name, func(t *testing.T) { testHitAllocs(t, interval) })
	}
}

func testHitAllocs(t *testing.T, interval int) {
	d := open(t, func(c *store.Config) { c.BufferIntervalMS = interval })
	limit := fullLimit()
	limit.BookNumber = 1_000_000
	if err := d.Limits.Put(t.Context(), limit); err != nil {
		t.Fatal(err)
	}
	if err := d.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, id := t.Context(), repo.LimitID{Counterparty: limit.Counterparty, Currency: limit.Currency, BookNumber: limit.BookNumber}
	read := func() {
		if _, err := d.Limits.Get(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	read() // decodes what was written
	const n = 1000
	before := d.Stats().Cache.Hits
	if allocs := testing.AllocsPerRun(n, read); allocs > 0 && !raced {
		t.Errorf("%v allocations", allocs)
	}
	if hits := d.Stats().Cache.Hits - before; hits < n {
		t.Errorf("%d hits", hits)
	}
}
