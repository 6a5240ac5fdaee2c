package store_test

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// The slot of a trader moves to another node while he writes rows that exist,
// new rows and commits: no caller gets an error, nothing acknowledged is lost,
// and the indexes are what the rows say. While the keys of one step are on two
// nodes, Redis refuses it (TRYAGAIN), and the store tries again.
func TestReshardBesideWriters(t *testing.T) {
	c := redistest.RunCluster(t, redistest.Options{Password: "data-secret"})
	const trader, ns, rows = "T-move", "{trader-T-move}", 3000
	s, err := store.Open(t.Context(), onCluster(c, func(cfg *store.Config) {
		cfg.TraderID, cfg.Schemas = trader, []store.Schema{trading.Schema}
	}))
	must(t, err)
	defer closeStore(s)
	tables := trading.New(s)
	id := func(kind string, i int) string { return fmt.Sprintf("%s-%05d", kind, i) }
	must(t, tables.Orders.PutMany(t.Context(), func(yield func(trading.Order) bool) {
		for i := range rows {
			if !yield(order(id("old", i), trading.OrderStatusAccepted)) {
				return
			}
		}
	}))

	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var writers sync.WaitGroup
	writer := func(write func(n int) error) *writing {
		w := &writing{}
		writers.Go(func() {
			for ctx.Err() == nil {
				begin := time.Now()
				if err := write(w.acked); err != nil {
					w.failed = append(w.failed, err)
				} else {
					w.acked++
				}
				w.longest = max(w.longest, time.Since(begin))
				time.Sleep(200 * time.Microsecond)
			}
		})
		return w
	}
	kinds := map[string]*writing{
		"rows that exist": writer(func(n int) error {
			o := order(id("old", n%rows), trading.OrderStatusAccepted)
			o.VenueOrderID = strconv.Itoa(n)
			return tables.Orders.Put(t.Context(), o)
		}),
		"new rows": writer(func(n int) error {
			return tables.Orders.Put(t.Context(), order(id("new", n), trading.OrderStatusAccepted))
		}),
		"reads": writer(func(n int) error {
			_, err := tables.Orders.Get(t.Context(), trading.ClientOrderID(id("old", n%rows)), store.Strong)
			return err
		}),
		"commits": writer(func(n int) error {
			return s.Commit(t.Context(), func(tx *store.Tx) error {
				p := position("P-1", trading.PositionSideLong)
				p.Quantity = dec(strconv.Itoa(n))
				return trading.New(tx).Positions.Put(t.Context(), p)
			})
		}),
	}
	time.Sleep(50 * time.Millisecond)
	took := reshard(t, c, ns)
	time.Sleep(50 * time.Millisecond)
	stop()
	writers.Wait()

	for name, w := range kinds {
		t.Logf("%s: %d, the longest took %v; the slot moved in %v", name, w.acked, w.longest, took)
		if len(w.failed) > 0 || w.acked == 0 {
			t.Errorf("%s: %d failed of %d: %v", name, len(w.failed), len(w.failed)+w.acked, w.failed)
		}
		if w.longest > took+2*time.Second {
			t.Errorf("%s: one took %v; the slot moved in %v", name, w.longest, took)
		}
	}
	for i := range kinds["new rows"].acked {
		if _, err := tables.Orders.Get(t.Context(), trading.ClientOrderID(id("new", i)), store.Strong); err != nil {
			t.Errorf("an acknowledged row is lost: %v", err)
		}
	}
	if n, want := count(t, tables.Orders.Open()), rows+kinds["new rows"].acked; n != want {
		t.Errorf("%d orders are open, want %d", n, want)
	}
	last := kinds["rows that exist"].acked - 1
	if o, err := tables.Orders.Get(t.Context(), trading.ClientOrderID(id("old", last%rows)), store.Strong); err != nil || o.VenueOrderID != strconv.Itoa(last) {
		t.Errorf("the last acknowledged write of a row: %q, %v, want %d", o.VenueOrderID, err, last)
	}
	if r, err := tables.Orders.Verify(t.Context(), false); err != nil || len(r.Missing) > 0 {
		t.Errorf("%v, %v", r, err)
	}
}

// writing is what one writer has done.
type writing struct {
	acked   int
	failed  []error
	longest time.Duration
}

// reshard moves the slot of the tag from its master to the next one, some keys
// at a time, as redis-cli --cluster reshard does.
func reshard(t *testing.T, c *redistest.Cluster, tag string) time.Duration {
	t.Helper()
	do := func(s *redistest.Server, args ...string) string {
		t.Helper()
		r, err := s.Do(args...)
		if err != nil {
			t.Fatalf("%v: %v", args, err)
		}
		return r
	}
	slot := do(c.Masters[0], "CLUSTER", "KEYSLOT", tag+"-order:x")
	at, err := strconv.Atoi(slot)
	must(t, err)
	const slots = 16384
	from := slices.IndexFunc(c.Masters, func(s *redistest.Server) bool { return at < (slices.Index(c.Masters, s)+1)*slots/3 })
	source, target := c.Masters[from], c.Masters[(from+1)%len(c.Masters)]
	begin := time.Now()
	do(target, "CLUSTER", "SETSLOT", slot, "IMPORTING", do(source, "CLUSTER", "MYID"))
	do(source, "CLUSTER", "SETSLOT", slot, "MIGRATING", do(target, "CLUSTER", "MYID"))
	moved := 0
	for {
		keys := do(source, "CLUSTER", "GETKEYSINSLOT", slot, "20")
		if keys == "" {
			break
		}
		all := strings.Split(keys, "\n")
		moved += len(all)
		do(source, append([]string{"MIGRATE", "127.0.0.1", strconv.Itoa(target.Port()), "", "0", "5000", "AUTH", "data-secret", "KEYS"}, all...)...)
	}
	for _, s := range []*redistest.Server{target, source, c.Masters[(from+2)%len(c.Masters)]} {
		do(s, "CLUSTER", "SETSLOT", slot, "NODE", do(target, "CLUSTER", "MYID"))
	}
	t.Logf("%d keys moved", moved)
	return time.Since(begin)
}
