package store_test

import (
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/key"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// Names that make naive joins collide: those of the key grammar's own test,
// shortened.
var (
	adverseTraders   = []string{"", "a", "b", "a-b", "a-", "-", "order:x", "order", "a@b", "*", "a.b", "{a}", "}", "%41", "001", "001-abc", "é", "position"}
	adverseInstances = []string{"", "a", "b", "a-b", "@", "x-order", "}", "{"}
)

type tenant struct {
	trader, instance string
	*store.Store
	trading.Tables
}

// tenants are one for each nth pair of adverse names, over the connections of
// s, each with a row, a history, a hash and a series.
func tenants(t *testing.T, s *store.Store, nth int) []tenant {
	t.Helper()
	var all []tenant
	for i, trader := range adverseTraders {
		for j, instance := range adverseInstances {
			if (i+j)%nth > 0 {
				continue
			}
			v, err := s.Tenant(trader, instance)
			must(t, err)
			all = append(all, tenant{trader, instance, v, trading.New(v)})
		}
	}
	ctx := t.Context()
	for i, v := range all {
		p := position("x-order:P-1", trading.PositionSideLong)
		p.Quantity, p.StrategyID = dec(fmt.Sprint(i)), "order:x"
		must(t, v.Positions.Put(ctx, p))
		must(t, v.Orders.AppendEvents(ctx, order("O-1", trading.OrderStatusAccepted), event("E-1", trading.OrderEventTypeAccepted, trading.OrderStatusAccepted)))
		must(t, v.Accounts.Put(ctx, trading.Account{AccountID: "A-1", AccountType: trading.AccountTypeCash}))
		must(t, v.Accounts.Balances("A-1").Put(ctx, "USDT", trading.Balance{Currency: "USDT", Total: dec(fmt.Sprint(i))}))
		must(t, v.QuoteTicks.Append(ctx, "a.b}", trading.QuoteTick{BidPrice: dec(fmt.Sprint(i))}))
	}
	return all
}

// mine checks that the tenant sees its own things and no others.
func (v tenant) mine(t *testing.T, i int) {
	t.Helper()
	ctx, want := t.Context(), fmt.Sprint(i)
	p, err := v.Positions.Get(ctx, "x-order:P-1", store.Strong)
	if err != nil || p.Quantity.String() != want {
		t.Errorf("trader %q instance %q: %s, %v, want row %s", v.trader, v.instance, p.Quantity, err, want)
	}
	b, err := v.Accounts.Balances("A-1").Get(ctx, "USDT")
	if err != nil || b.Total.String() != want {
		t.Errorf("trader %q instance %q: balance %s, %v, want %s", v.trader, v.instance, b.Total, err, want)
	}
	ticks := all(t, v.QuoteTicks.All(ctx, "a.b}"))
	if len(ticks) != 1 || ticks[0].BidPrice.String() != want {
		t.Errorf("trader %q instance %q: ticks %v, want one of %s", v.trader, v.instance, ticks, want)
	}
	for what, n := range map[string]int{
		"positions": count(t, v.Positions.Set), "of the strategy": count(t, v.Positions.ByStrategy("order:x")),
		"open orders": count(t, v.Orders.Open()), "events": len(all(t, v.Orders.Events("O-1").All(ctx))),
	} {
		if n != 1 {
			t.Errorf("trader %q instance %q: %d %s, want 1", v.trader, v.instance, n, what)
		}
	}
}

// apart shows that tenants neither see, overwrite nor purge each other.
func apart(t *testing.T, cfg store.Config, nth int, keys func() map[string]bool) {
	cfg.Schemas = []store.Schema{trading.Schema}
	s, err := store.Open(t.Context(), cfg)
	must(t, err)
	defer closeStore(s)
	vs := tenants(t, s, nth)
	for i, v := range vs {
		v.mine(t, i)
	}
	// Each Purge deletes exactly the keys that parse to its tenant.
	before := keys()
	for n, i := range rand.Perm(len(vs)) {
		v := vs[i]
		flush := n%8 == 0
		if !flush {
			must(t, v.Purge(t.Context()))
		} else {
			must(t, v.Close(t.Context()))
			again := cfg
			again.TraderID, again.InstanceID, again.UseInstanceID, again.FlushOnStart = v.trader, v.instance, v.instance != "", true
			f, err := store.Open(t.Context(), again)
			must(t, err)
			closeStore(f)
		}
		after, gone := keys(), 0
		for k := range before {
			p, err := key.Parse(k)
			if err != nil {
				t.Fatalf("a key of nobody: %v", err)
			}
			mine := p.Trader == v.trader && p.Instance == v.instance
			if mine {
				gone++
			}
			meta := flush && p.Type == "nacre" // the store that flushed was there itself
			if after[k] == mine && !(mine && meta) {
				t.Fatalf("a purge of trader %q instance %q, key %q: kept %v", v.trader, v.instance, k, after[k])
			}
		}
		if gone < 10 {
			t.Fatalf("trader %q instance %q had %d keys", v.trader, v.instance, gone)
		}
		if flush {
			v, err := s.Tenant(v.trader, v.instance)
			must(t, err)
			must(t, v.Purge(t.Context()))
			after = keys()
		}
		before = after
	}
	for k := range before {
		t.Errorf("left: %s", k)
	}
}

func keysOf(t *testing.T, servers ...*redistest.Server) func() map[string]bool {
	return func() map[string]bool {
		all := map[string]bool{}
		for _, s := range servers {
			text, err := s.Do("KEYS", "*")
			must(t, err)
			for k := range strings.SplitSeq(text, "\n") {
				if k != "" {
					all[k] = true
				}
			}
		}
		return all
	}
}

func TestTenantsApart(t *testing.T) {
	t.Parallel()
	for _, tag := range []bool{false, true} {
		t.Run(fmt.Sprint("tag ", tag), func(t *testing.T) {
			srv, nth := redistest.New(t), 1
			if tag && !long() {
				nth = 3
			}
			apart(t, with(at(srv.Port()), func(c *store.Config) { c.HashTag = tag }), nth, keysOf(t, srv))
		})
	}
}

// purgeBesideWriters purges one tenant again and again while its neighbours
// write: whatever was acknowledged to them stays.
func purgeBesideWriters(t *testing.T, cfg store.Config) {
	cfg.Schemas, cfg.TraderID = []store.Schema{trading.Schema}, "001"
	s, err := store.Open(t.Context(), cfg)
	must(t, err)
	defer closeStore(s)
	ctx := t.Context()
	stop := make(chan struct{})
	var writers sync.WaitGroup
	acked := make([]map[trading.PositionID]string, 4)
	neighbours := make([]trading.Tables, len(acked))
	for w, name := range [][2]string{{"001-abc", ""}, {"001", "a"}, {"", "001"}, {"00", ""}} {
		v, err := s.Tenant(name[0], name[1])
		must(t, err)
		neighbours[w], acked[w] = trading.New(v), map[trading.PositionID]string{}
		writers.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				default:
				}
				p := position(fmt.Sprintf("P-%d", i%200), trading.PositionSideLong)
				p.Quantity = dec(fmt.Sprint(i))
				if err := neighbours[w].Positions.Put(ctx, p); err != nil {
					t.Errorf("put: %v", err)
					return
				}
				acked[w][p.PositionID] = p.Quantity.String()
			}
		})
	}
	own := trading.New(s)
	rounds := 20
	if long() {
		rounds = 500
	}
	for range rounds {
		for i := range 30 {
			must(t, own.Positions.Put(ctx, position(fmt.Sprintf("P-%d", i), trading.PositionSideLong)))
		}
		must(t, s.Purge(ctx))
		if n := count(t, own.Positions.Set); n != 0 {
			t.Fatalf("%d rows are left", n)
		}
	}
	close(stop)
	writers.Wait()
	for w, rows := range acked {
		if len(rows) == 0 {
			t.Errorf("writer %d wrote nothing", w)
		}
		for p, err := range neighbours[w].Positions.GetMany(ctx, slices.Collect(maps.Keys(rows))...) {
			must(t, err)
			if p.Quantity.String() != rows[p.PositionID] {
				t.Errorf("writer %d, %s: %s, want %s", w, p.PositionID, p.Quantity, rows[p.PositionID])
			}
		}
		if n := count(t, neighbours[w].Positions.Open()); n != len(rows) {
			t.Errorf("writer %d: %d rows, want %d", w, n, len(rows))
		}
	}
}

func TestPurgeBesideWriters(t *testing.T) {
	purgeBesideWriters(t, at(redistest.New(t).Port()))
}

// One set of connections and one tracking prefix serve all tenants.
func TestThousandTenants(t *testing.T) {
	d := open(t)
	connections := func() int {
		return strings.Count(d.do(t, "CLIENT", "LIST"), "\n")
	}
	before := connections()
	tenants := make([]trading.Tables, 1000)
	stores := make([]*store.Store, len(tenants))
	for i := range tenants {
		s, err := d.Tenant("T"+strconv.Itoa(i), "")
		must(t, err)
		stores[i], tenants[i] = s, trading.New(s)
	}
	var wg sync.WaitGroup
	for _, part := range [][]trading.Tables{tenants[:500], tenants[500:]} {
		wg.Go(func() {
			for _, x := range part {
				if err := x.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	wantHits(t, d, 1000, 0, func() {
		for _, x := range tenants {
			if _, err := x.Positions.Get(t.Context(), "P-1"); err != nil {
				t.Fatal(err)
			}
		}
	})
	d.do(t, "DEL", "trader-T7-position:P-1")
	soon(t, "tenant 7 has lost its row", func() bool {
		_, err := tenants[7].Positions.Get(t.Context(), "P-1")
		return errors.Is(err, store.ErrNotFound)
	})
	if _, ok := tenants[8].Positions.Peek("P-1"); !ok {
		t.Error("tenant 8 has lost its row too")
	}
	must(t, stores[9].Close(t.Context()))
	if _, ok := tenants[9].Positions.Peek("P-1"); ok {
		t.Error("a closed tenant has hits")
	}
	if _, err := tenants[9].Positions.Get(t.Context(), "P-1"); !errors.Is(err, store.ErrClosed) {
		t.Errorf("Get of a closed tenant: %v", err)
	}
	if after := connections(); after != before {
		t.Errorf("%d connections with 1,000 tenants, %d with one", after, before)
	}
	if info := d.do(t, "INFO", "clients"); !strings.Contains(info, "tracking_clients:1\r") {
		t.Errorf("not one tracking client: %s", info)
	}
	if info := d.do(t, "INFO", "stats"); !strings.Contains(info, "tracking_total_prefixes:2\r") {
		t.Errorf("not two prefixes: %s", info)
	}
}
