package store_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

func bySentinel(set *redistest.SentinelSet, change ...func(*store.DatabaseConfig)) store.Config {
	d := store.DatabaseConfig{
		Password: "data-secret", Timeout: 2,
		Sentinel: store.SentinelConfig{Master: set.Name, Addresses: set.Addrs()[:1], Password: "sentinel-secret"},
	}
	for _, f := range change {
		f(&d)
	}
	return store.Config{Database: d}
}

func TestSentinel(t *testing.T) {
	t.Parallel()
	set := redistest.RunSentinels(t, redistest.SentinelOptions{Sentinels: 2, Password: "data-secret", SentinelPassword: "sentinel-secret"})
	master := set.Servers[0]
	exercise(t, bySentinel(set), "trader", master.Do)

	for name, c := range map[string]struct {
		change func(*store.DatabaseConfig)
		class  error
		says   []string
	}{
		"no such master":          {func(d *store.DatabaseConfig) { d.Sentinel.Master = "else" }, store.ErrRefused, []string{`"else"`, "No such master"}},
		"wrong sentinel password": {func(d *store.DatabaseConfig) { d.Sentinel.Password = "wrong-secret" }, store.ErrRefused, []string{"WRONGPASS", ": " + set.Addrs()[0] + ": "}},
		"no sentinel password":    {func(d *store.DatabaseConfig) { d.Sentinel.Password = "" }, store.ErrRefused, []string{"NOAUTH", set.Addrs()[0]}},
		"wrong password":          {func(d *store.DatabaseConfig) { d.Password = "wrong-secret" }, store.ErrRefused, []string{"WRONGPASS", ": " + master.Addr() + ": "}},
		"no sentinel there":       {func(d *store.DatabaseConfig) { d.Sentinel.Addresses = []string{"127.0.0.1:1"} }, store.ErrUnavailable, []string{"127.0.0.1:1", "refused"}},
		"a server for a sentinel": {func(d *store.DatabaseConfig) {
			d.Sentinel.Addresses, d.Sentinel.Password = []string{master.Addr()}, "data-secret"
		}, store.ErrRefused, []string{"no Sentinel"}},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := store.Open(t.Context(), bySentinel(set, c.change))
			if err == nil {
				closeStore(s)
				t.Fatal("it opened")
			}
			if !errors.Is(err, c.class) || strings.Contains(err.Error(), "secret") {
				t.Errorf("%v, want %v without secrets", err, c.class)
			}
			for _, says := range c.says {
				if !strings.Contains(err.Error(), says) {
					t.Errorf("%v does not say %q", err, says)
				}
			}
		})
	}
	t.Run("a sentinel for a server", func(t *testing.T) {
		s, err := store.Open(t.Context(), with(at(set.Sentinels[0].Port()), func(c *store.Config) { c.Database.Password = "sentinel-secret" }))
		if err == nil {
			closeStore(s)
			t.Fatal("it opened")
		}
		if !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "database.sentinel") {
			t.Errorf("%v", err)
		}
	})
	// A sentinel that was not named is found through the other one, and takes
	// the same password.
	t.Run("another sentinel", func(t *testing.T) {
		s, err := store.Open(t.Context(), bySentinel(set, func(*store.DatabaseConfig) {}))
		must(t, err)
		defer closeStore(s)
		set.Sentinels[0].Kill()
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
			list, err := set.Sentinels[1].Do("CLIENT", "LIST", "TYPE", "PUBSUB")
			must(t, err)
			if strings.Contains(list, "sub=") {
				break
			}
			if time.Now().After(end) {
				t.Fatalf("nobody listens at the other sentinel: %s", list)
			}
		}
	})
}

// A failover at the order of an operator: afterwards everything works on the
// new master. What failovers lose is not the matter here.
func TestSentinelFailover(t *testing.T) {
	t.Parallel()
	if !long() {
		t.Skip("with NACRE_LONG=1")
	}
	set := redistest.RunSentinels(t, redistest.SentinelOptions{Sentinels: 3, Password: "data-secret"})
	cfg := bySentinel(set, func(d *store.DatabaseConfig) { d.Sentinel.Password = "" })
	cfg.Schemas = []store.Schema{trading.Schema}
	s, err := store.Open(t.Context(), cfg)
	must(t, err)
	defer closeStore(s)
	tables := trading.New(s)
	must(t, tables.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
	_, err = set.Sentinels[0].Do("SENTINEL", "FAILOVER", set.Name)
	must(t, err)
	replica := set.Servers[1]
	// What the old master acknowledges until it is demoted, Redis loses.
	for end := time.Now().Add(30 * time.Second); ; time.Sleep(50 * time.Millisecond) {
		now, err := replica.Do("ROLE")
		must(t, err)
		old, err := set.Servers[0].Do("ROLE")
		must(t, err)
		if strings.HasPrefix(now, "master") && strings.HasPrefix(old, "slave") {
			break
		}
		if time.Now().After(end) {
			t.Fatal("no failover")
		}
	}
	start := time.Now()
	for end := start.Add(30 * time.Second); ; {
		if err = tables.Positions.Put(t.Context(), position("P-2", trading.PositionSideLong)); err == nil {
			break
		}
		if time.Now().After(end) {
			t.Fatal(err)
		}
	}
	t.Logf("writes are accepted %v after the failover", time.Since(start))
	if got, err := replica.Do("EXISTS", "trader-position:P-2"); err != nil || got != "1" {
		t.Errorf("the new master has no new row: %s, %v", got, err)
	}
	must(t, s.Purge(t.Context()))
	if err := (&workout{Store: s, ns: "trader", raw: replica.Do}).run(t.Context()); err != nil {
		t.Error(err)
	}
}
