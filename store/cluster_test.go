package store_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

func onCluster(c *redistest.Cluster, change ...func(*store.Config)) store.Config {
	cfg := store.Config{Database: store.DatabaseConfig{Cluster: c.Addrs()[:1], Password: "data-secret", Timeout: 2}}
	for _, f := range change {
		f(&cfg)
	}
	return cfg
}

// Everything works on Redis Cluster, for tenants on each of its nodes.
func TestCluster(t *testing.T) {
	t.Parallel()
	c := redistest.RunCluster(t, redistest.Options{Password: "data-secret"})
	nodes := map[string]bool{}
	for i := range 8 {
		trader := fmt.Sprintf("T%d", i)
		exercise(t, onCluster(c, func(cfg *store.Config) {
			if cfg.TraderID = trader; i%2 == 1 {
				buffered(cfg)
			}
		}), "{trader-"+trader+"}", c.Do)
		if _, err := c.Masters[0].Do("EXISTS", "{trader-"+trader+"}-order:O-1"); err == nil {
			nodes[c.Addrs()[0]] = true
		} else {
			_, node, _ := strings.Cut(err.Error(), "127.0.0.1")
			nodes[node] = true
		}
	}
	if len(nodes) != 3 {
		t.Errorf("the traders are on %d nodes, want 3", len(nodes))
	}
	for _, s := range c.Masters {
		if n, err := s.Do("DBSIZE"); err != nil || n != "0" {
			keys, _ := s.Do("KEYS", "*")
			t.Errorf("%s has %s keys behind the purges: %v\n%s", s.Addr(), n, err, keys)
		}
	}

	t.Run("tenants", func(t *testing.T) {
		nth := 3
		if long() {
			nth = 1
		}
		apart(t, onCluster(c), nth, keysOf(t, c.Masters...))
	})
	t.Run("purge beside writers", func(t *testing.T) { purgeBesideWriters(t, onCluster(c)) })
	_, err := c.Masters[0].Do("FLUSHALL")
	must(t, err)

	t.Run("flush on start", func(t *testing.T) {
		cfg := onCluster(c, func(cfg *store.Config) {
			cfg.TraderID, cfg.FlushOnStart, cfg.Schemas = "T-flush", true, []store.Schema{trading.Schema}
		})
		for range 2 {
			s, err := store.Open(t.Context(), cfg)
			must(t, err)
			tables := trading.New(s)
			if n := count(t, tables.Positions.Set); n != 0 {
				t.Errorf("%d rows behind flush_on_start", n)
			}
			must(t, tables.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
			for i := range 5 {
				id := trading.InstrumentID(fmt.Sprintf("X%d.BINANCE", i))
				if n := len(all(t, tables.QuoteTicks.All(t.Context(), id))); n != 0 {
					t.Errorf("%d ticks behind flush_on_start", n)
				}
				must(t, tables.QuoteTicks.Append(t.Context(), id, trading.QuoteTick{}))
			}
			must(t, s.Close(t.Context()))
		}
	})

	for name, try := range map[string]struct {
		cfg   store.Config
		class error
		says  string
	}{
		"a node as a server": {with(at(c.Masters[0].Port()), func(c *store.Config) { c.Database.Password = "data-secret" }), store.ErrRefused, "database.cluster"},
		"a server as a node": {onCluster(c, func(cfg *store.Config) {
			cfg.Database.Cluster, cfg.Database.Password = []string{redistest.New(t).Addr()}, ""
		}), store.ErrRefused, "no cluster"},
		"nobody":         {onCluster(c, func(cfg *store.Config) { cfg.Database.Cluster = []string{"127.0.0.1:1"} }), store.ErrUnavailable, "connection refused"},
		"wrong password": {onCluster(c, func(cfg *store.Config) { cfg.Database.Password = "wrong-secret" }), store.ErrRefused, "WRONGPASS"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(t.Context(), try.cfg)
			if err == nil {
				closeStore(s)
				t.Fatal("it opened")
			}
			if !errors.Is(err, try.class) || !strings.Contains(err.Error(), try.says) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want %v saying %q", err, try.class, try.says)
			}
		})
	}
	t.Run("evicting node", func(t *testing.T) {
		_, err := c.Masters[2].Do("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
		must(t, err)
		s, err := store.Open(t.Context(), onCluster(c))
		if err == nil {
			closeStore(s)
		}
		if !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "allkeys-lru") {
			t.Errorf("%v", err)
		}
	})
}
