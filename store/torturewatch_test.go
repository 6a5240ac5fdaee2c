package store_test

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// sight is what a watcher has been told of a table.
type sight struct {
	mu   sync.Mutex
	rows map[int]int64
	told int
}

// follow watches a table: no row may go back.
func follow[K comparable, V any](x *torture, set store.Set[K, V], version func(*V) (int, int64)) func(context.Context, *sight) {
	return func(ctx context.Context, v *sight) {
		for c, err := range set.Watch(ctx) {
			if ctx.Err() != nil {
				return
			}
			if err != nil {
				x.fail("watch: %v", err)
				return
			}
			if c.Kind == store.Synced {
				continue
			}
			k, now := version(&c.New)
			_, was := version(&c.Old)
			v.mu.Lock()
			if c.Kind == store.Removed || v.rows[k] != was && c.Kind == store.Updated || now <= v.rows[k] {
				x.fail("watch: %v of row %d from %d to %d, after %d", c.Kind, k, was, now, v.rows[k])
			}
			v.rows[k] = now
			v.told++
			v.mu.Unlock()
		}
	}
}

func (x *torture) followCurrencies(s *tortured) func(context.Context, *sight) {
	return follow(x, s.Currencies.Set, func(c *trading.Currency) (int, int64) { return number(string(c.CurrencyCode)), c.Precision })
}

func (x *torture) followVenues(s *tortured) func(context.Context, *sight) {
	return follow(x, s.Venues.Set, func(v *trading.Venue) (int, int64) { return number(string(v.VenueCode)), int64(v.TsEvent) })
}

// agree waits until all watchers have been told what Redis holds in the end.
func (x *torture) agree(seen []*sight) {
	var differ error
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if differ = x.differ(seen); differ == nil {
			return
		}
	}
	x.fail("in the end: %v", differ)
}

func (x *torture) differ(seen []*sight) error {
	ctx := context.Background()
	currencies, venues := map[int]int64{}, map[int]int64{}
	in := x.stores[0]
	for c, err := range in.Currencies.All(ctx) {
		if err != nil {
			return err
		}
		currencies[number(string(c.CurrencyCode))] = c.Precision
	}
	for v, err := range in.Venues.All(ctx) {
		if err != nil {
			return err
		}
		venues[number(string(v.VenueCode))] = int64(v.TsEvent)
	}
	for i, v := range seen {
		v.mu.Lock()
		want := []map[int]int64{currencies, venues}[i%2]
		same := maps.Equal(v.rows, want)
		v.mu.Unlock()
		if !same {
			return errors.New("a watcher was told other rows than Redis holds")
		}
	}
	return nil
}
