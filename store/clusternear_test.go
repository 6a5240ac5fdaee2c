package store_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// A nearNode is a row in the caches of two stores on a cluster.
type nearNode struct {
	key  string
	a, b *desk
}

func (n nearNode) side(t *testing.T, d *desk) trading.PositionSide {
	t.Helper()
	return get(t, d, "P-1").Side
}

// near waits until both stores answer the row without asking.
func (n nearNode) near(t *testing.T) {
	t.Helper()
	for _, d := range []*desk{n.a, n.b} {
		near(t, d, "P-1")
		wantHits(t, d, 2, 0, func() { n.side(t, d); n.side(t, d) })
	}
}

// A near-cache is kept by every node of a cluster for its rows: what others
// write is seen, also when connections are lost and when a replica takes over.
func TestClusterNearCache(t *testing.T) {
	t.Parallel()
	c := redistest.RunCluster(t, redistest.Options{Password: "data-secret"})
	const maxAge = time.Second
	openNear := func() *desk {
		cfg := onCluster(c, func(cfg *store.Config) { cfg.MaxAge, cfg.Schemas = maxAge, []store.Schema{trading.Schema} })
		s, err := store.Open(t.Context(), cfg)
		must(t, err)
		t.Cleanup(func() { closeStore(s) })
		if off := s.Stats().Cache.Off; off != "" {
			t.Fatalf("no near-cache: %s", off)
		}
		return &desk{Store: s, Tables: trading.New(s), cfg: cfg}
	}
	a, b := openNear(), openNear()
	tenant := func(d *desk, trader string) *desk {
		s, err := d.Tenant(trader, "")
		must(t, err)
		return &desk{Store: s, Tables: trading.New(s), cfg: d.cfg}
	}
	var rows []nearNode
	on := map[string]bool{}
	for i := range 8 {
		trader := fmt.Sprintf("T%d", i)
		n := nearNode{"{trader-" + trader + "}-position:P-1", tenant(a, trader), tenant(b, trader)}
		must(t, n.a.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
		for _, s := range c.Masters {
			if r, err := s.Do("EXISTS", n.key); err == nil && r == "1" {
				on[s.Addr()] = true
			}
		}
		n.near(t)
		rows = append(rows, n)
	}
	if len(on) != 3 {
		t.Fatalf("the rows are on %d nodes, want 3", len(on))
	}

	// Each change by a program without a store is seen, at the latest when the
	// last proof of life is MaxAge old.
	flip := func(t *testing.T) {
		t.Helper()
		for _, n := range rows {
			p := get(t, n.b, "P-1", store.Strong)
			old, now := p.Side, trading.PositionSideLong
			if old == now {
				now = trading.PositionSideShort
			}
			p.Side = now
			msg, err := p.MarshalMsg(nil)
			must(t, err)
			_, err = c.Do("SET", n.key, string(msg))
			must(t, err)
			acked := time.Now()
			for _, d := range []*desk{n.a, n.b} {
				for {
					begin := time.Now()
					p, err := d.Positions.Get(t.Context(), "P-1")
					if err == nil && p.Side == now {
						break
					}
					if err == nil && begin.Sub(acked) > maxAge {
						t.Fatalf("%s: still %s %v after the write of %s", n.key, old, begin.Sub(acked), now)
					}
					if begin.Sub(acked) > 20*time.Second {
						t.Fatalf("%s: %v", n.key, err)
					}
				}
			}
		}
	}
	flip(t)
	for _, n := range rows {
		must(t, n.a.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
		soon(t, "the other store sees it", func() bool { return n.side(t, n.b) == trading.PositionSideLong })
		n.near(t)
	}
	t.Run("lost connections", func(t *testing.T) {
		for _, s := range c.Masters {
			_, err := s.Do("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
			must(t, err)
		}
		flip(t)
	})
	t.Run("a replica takes over", func(t *testing.T) {
		for _, n := range rows {
			soon(t, "the row is near again", func() bool {
				_, err := n.b.Positions.Get(t.Context(), "P-1")
				_, ok := n.b.Positions.Peek("P-1")
				return err == nil && ok
			})
		}
		_, err := c.Replica.Do("CLUSTER", "FAILOVER")
		must(t, err)
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
			if role, err := c.Replica.Do("ROLE"); err == nil && strings.HasPrefix(role, "master") {
				break
			}
			if time.Now().After(end) {
				t.Fatal("the replica did not take over")
			}
		}
		c.Masters[0], c.Replica = c.Replica, c.Masters[0]
		flip(t)
	})
}
