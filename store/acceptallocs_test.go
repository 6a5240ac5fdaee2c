package store_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
)

// What acceptance into the buffer allocates by itself: the row's bytes. Nothing
// is sent meanwhile, as the interval is long and there is room for all.
func TestAcceptAllocs(t *testing.T) {
	const n = 1000
	d := open(t, buffering(time.Hour))
	rows := make([]trading.Position, n+1)
	for i := range rows {
		rows[i] = versioned(fmt.Sprint("P-", i), 1)
	}
	i := 0
	next := func() {
		must(t, d.Positions.Put(t.Context(), rows[i]))
		i = (i + 1) % len(rows)
	}
	for range rows { // what all later ones use again
		next()
	}
	must(t, d.Flush(t.Context()))
	for _, c := range []struct{ name string }{{"rows that are not pending"}, {"rows that are"}} {
		acked := d.Stats().Buffer.Acked
		allocs := testing.AllocsPerRun(n, next)
		if allocs > 1 && !raced { // pools forget at random then
			t.Errorf("%s: %v allocations", c.name, allocs)
		}
		if st := d.Stats().Buffer; st.Acked != acked || st.Entries != n+1 {
			t.Errorf("%s: %+v", c.name, st)
		}
	}
}
