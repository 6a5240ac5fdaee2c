package docs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/config"
	"github.com/nacre-store/nacre/store/storetest"
)

// This file shows what the specification's options do, each on a real Redis.

// TestSpecConfigBlock opens a store with the specification's own block.
func TestSpecConfigBlock(t *testing.T) {
	text := read(t, "../testdata/spec-config.yaml")
	redis := storetest.Run(t, storetest.ServerOptions{})
	text = strings.Replace(text, "port: 6379", fmt.Sprintf("port: %d", redis.Port()), 1)
	cfg, err := config.Load(strings.NewReader(text))
	put(t, err)
	tr := openOn(t, redis, cfg)
	ctx := t.Context()
	put(t, tr.Positions.Put(ctx, position))
	put(t, tr.Flush(ctx))
	if row := tr.row("trader-position:BTCUSDT-PERP.BINANCE-001"); row["quantity"] != "1.10" {
		t.Errorf("row = %v", row)
	}
}

func TestSpecEncodingJSON(t *testing.T) {
	tr := openTrader(t, store.Config{Encoding: "json"})
	put(t, tr.Positions.Put(t.Context(), position))
	got := tr.do("GET", "trader-position:BTCUSDT-PERP.BINANCE-001")
	if !strings.HasPrefix(got, `{"position_id":"BTCUSDT-PERP.BINANCE-001"`) || !strings.Contains(got, `"quantity":"1.10"`) {
		t.Errorf("row = %s", got)
	}
	// A store with the other encoding reads it, and writes its own.
	other := openOn(t, tr.redis, store.Config{})
	p, err := other.Positions.Get(t.Context(), position.PositionID)
	put(t, err)
	if p.Quantity.Cmp(position.Quantity) != 0 || p.Quantity.Exponent() != -2 || p.TsLast != position.TsLast {
		t.Errorf("read back %+v", p)
	}
	put(t, other.Positions.Put(t.Context(), p))
	want(t, tr.row("trader-position:BTCUSDT-PERP.BINANCE-001"), "quantity", "1.10")
}

func TestSpecTimestamps(t *testing.T) {
	tr := openTrader(t, store.Config{TimestampsAsISO8601: true})
	put(t, tr.Positions.Put(t.Context(), position))
	want(t, tr.row("trader-position:BTCUSDT-PERP.BINANCE-001"), "ts_opened", "2025-12-30T00:00:00.000000001Z")
	p, err := tr.Positions.Get(t.Context(), position.PositionID)
	put(t, err)
	if p.TsOpened != position.TsOpened {
		t.Errorf("read back %d, want %d", p.TsOpened, position.TsOpened)
	}
}

func TestSpecPersistAccountEvents(t *testing.T) {
	const events = "trader-account.events:BINANCE-USDT_FUTURES-master"
	event := trading.AccountEvent{EventID: "e-1"}
	tr := openTrader(t, store.Config{})
	put(t, tr.Accounts.AppendEvents(t.Context(), account, event))
	if got := tr.do("LLEN", events); got != "1" {
		t.Errorf("by default, %s events are kept, want 1", got)
	}
	off := false
	tr = openTrader(t, store.Config{PersistAccountEvents: &off})
	put(t, tr.Accounts.AppendEvents(t.Context(), account, event))
	if got := tr.do("EXISTS", events); got != "0" {
		t.Error("events are kept, and the option says not to")
	}
	if _, err := tr.Accounts.Get(t.Context(), account.AccountID); err != nil {
		t.Errorf("the row itself: %v", err)
	}
}

func TestSpecTenants(t *testing.T) {
	no := false
	redis := storetest.Run(t, storetest.ServerOptions{})
	configs := map[string]store.Config{
		"trader-position:BTCUSDT-PERP.BINANCE-001":          {UseTraderPrefix: &no},
		"trader-T1-position:BTCUSDT-PERP.BINANCE-001":       {TraderID: "T1"},
		"trader-T2-position:BTCUSDT-PERP.BINANCE-001":       {TraderID: "T2"},
		"trader-T1@node1-position:BTCUSDT-PERP.BINANCE-001": {TraderID: "T1", UseInstanceID: true, InstanceID: "node1"},
		"trader-T1@node2-position:BTCUSDT-PERP.BINANCE-001": {TraderID: "T1", UseInstanceID: true, InstanceID: "node2"},
		"desk-T1-position:BTCUSDT-PERP.BINANCE-001":         {Prefix: "desk", TraderID: "T1"},
		"{trader-T3}-position:BTCUSDT-PERP.BINANCE-001":     {TraderID: "T3", HashTag: true},
	}
	traders := map[string]*trader{}
	for key, cfg := range configs {
		tr := openOn(t, redis, cfg)
		traders[key] = tr
		if n, err := tr.Positions.Count(t.Context()); n != 0 || err != nil {
			t.Errorf("%s: %d rows before the first, %v", key, n, err)
		}
		put(t, tr.Positions.Put(t.Context(), position))
		if got := tr.do("EXISTS", key); got != "1" {
			t.Errorf("%s is not stored; keys:\n%s", key, strings.Join(tr.keys(), "\n"))
		}
	}
	for key, tr := range traders { // each removes its own rows and nobody else's
		put(t, tr.Purge(t.Context()))
		delete(configs, key)
		if got := tr.do("EXISTS", key); got != "0" {
			t.Errorf("%s is left after its Purge", key)
		}
		for other := range configs {
			if got := tr.do("EXISTS", other); got != "1" {
				t.Errorf("Purge of %s removed %s", key, other)
			}
		}
	}
}

func TestSpecFlushOnStart(t *testing.T) {
	tr := openTrader(t, store.Config{TraderID: "T1"})
	other := openOn(t, tr.redis, store.Config{TraderID: "T1-x"})
	for _, tr := range []*trader{tr, other} {
		put(t, tr.Positions.Put(t.Context(), position))
		put(t, tr.Close(t.Context()))
	}
	if n, err := openOn(t, tr.redis, store.Config{TraderID: "T1"}).Positions.Count(t.Context()); n != 1 || err != nil {
		t.Errorf("by default %d rows are left, want 1; %v", n, err)
	}
	if n, err := openOn(t, tr.redis, store.Config{TraderID: "T1", FlushOnStart: true}).Positions.Count(t.Context()); n != 0 || err != nil {
		t.Errorf("%d rows are left, want 0; %v", n, err)
	}
	if n, err := openOn(t, tr.redis, store.Config{TraderID: "T1-x"}).Positions.Count(t.Context()); n != 1 || err != nil {
		t.Errorf("%d rows of the other trader are left, want 1; %v", n, err)
	}
}

// TestSpecRestart restarts Redis, with the settings of deploy/redis.conf, and
// the program: nothing acknowledged is lost.
func TestSpecRestart(t *testing.T) {
	redis := storetest.Run(t, storetest.ServerOptions{})
	tr := openOn(t, redis, store.Config{})
	ctx := t.Context()
	event := trading.OrderEvent{EventID: "e-1", Type: trading.OrderEventTypeAccepted, Status: trading.OrderStatusAccepted}
	put(t, tr.Orders.AppendEvents(ctx, order, event))
	put(t, tr.Positions.Put(ctx, position))
	put(t, tr.Close(ctx))
	put(t, redis.Restart())

	tr = openOn(t, redis, store.Config{})
	if _, err := tr.Positions.Get(ctx, position.PositionID); err != nil {
		t.Errorf("position: %v", err)
	}
	if n, err := tr.Orders.Open().Count(ctx); n != 1 || err != nil {
		t.Errorf("open orders: %d, %v", n, err)
	}
	if n, err := tr.Orders.Events(order.ClientOrderID).Len(ctx); n != 1 || err != nil {
		t.Errorf("events: %d, %v", n, err)
	}
}

// TestSpecReconnect kills Redis under an open store: operations fail clearly
// while it is away, and work again when it is back.
func TestSpecReconnect(t *testing.T) {
	redis := storetest.Run(t, storetest.ServerOptions{Args: []string{"--appendfsync", "always"}})
	tr := openOn(t, redis, store.Config{})
	put(t, tr.Positions.Put(t.Context(), position))
	redis.Kill()
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := tr.Positions.Put(ctx, position); !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, store.ErrUnknownOutcome) {
		t.Errorf("Put without a server: %v", err)
	}
	put(t, redis.Restart())
	ctx, cancel = context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := tr.Positions.Get(ctx, position.PositionID); err != nil {
		t.Errorf("Get after the restart: %v", err)
	}
	if err := tr.Positions.Put(ctx, position); err != nil {
		t.Errorf("Put after the restart: %v", err)
	}
}

// TestSpecGracefulShutdown closes a store under load: what was acknowledged is
// there, and nothing is accepted afterwards.
func TestSpecGracefulShutdown(t *testing.T) {
	tr := openTrader(t, store.Config{})
	acked := make(chan trading.PositionID, 100_000)
	done := make(chan error, 4)
	for g := range cap(done) {
		go func() {
			for i := 0; ; i++ {
				p := position
				p.PositionID = trading.PositionID(fmt.Sprintf("P-%d-%d", g, i))
				if err := tr.Positions.Put(t.Context(), p); err != nil {
					done <- err
					return
				}
				acked <- p.PositionID
			}
		}()
	}
	for deadline := time.Now().Add(10 * time.Second); len(acked) < 1000 && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	put(t, tr.Close(t.Context()))
	for range cap(done) {
		if err := <-done; !errors.Is(err, store.ErrClosed) {
			t.Errorf("after Close: %v", err)
		}
	}
	close(acked)
	n := 0
	for id := range acked {
		n++
		if got := tr.do("EXISTS", "trader-position:"+string(id)); got != "1" {
			t.Errorf("%s was acknowledged and is not there", id)
		}
	}
	if n < 1000 {
		t.Errorf("only %d writes: no load", n)
	}
}

// TestSpecCloseWaits closes a store while Redis does not answer: Close returns
// when the write under way is acknowledged, not before.
func TestSpecCloseWaits(t *testing.T) {
	tr := openTrader(t, store.Config{})
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	put(t, tr.redis.Pause())
	written, closed := make(chan error, 1), make(chan error, 1)
	go func() { written <- tr.Positions.Put(ctx, position) }()
	time.Sleep(50 * time.Millisecond)
	go func() { closed <- tr.Close(ctx) }()
	select {
	case err := <-closed:
		t.Errorf("Close returned %v with a write under way", err)
	case <-time.After(100 * time.Millisecond):
	}
	put(t, tr.redis.Resume())
	put(t, <-written)
	put(t, <-closed)
	if got := tr.do("EXISTS", "trader-position:BTCUSDT-PERP.BINANCE-001"); got != "1" {
		t.Error("the write was acknowledged and is not there")
	}
}

func TestSpecAuthentication(t *testing.T) {
	certs := writeCerts(t)
	port, err := storetest.FreePort()
	put(t, err)
	redis := storetest.Run(t, storetest.ServerOptions{Password: "geheim", Unix: true, Args: []string{
		"--tls-port", fmt.Sprint(port), "--tls-auth-clients", "no",
		"--tls-cert-file", certs.cert, "--tls-key-file", certs.key, "--tls-ca-cert-file", certs.ca,
	}})
	put(t, func() error {
		_, err := redis.Do("ACL", "SETUSER", "desk", "on", ">wort", "~*", "&*", "+@all")
		return err
	}())
	tcp := store.DatabaseConfig{Host: "127.0.0.1", Port: redis.Port(), Password: "geheim"}
	tls := store.DatabaseConfig{Host: "127.0.0.1", Port: port, Password: "geheim", SSL: true, TLS: store.TLSConfig{CA: certs.ca, ServerName: "redis.example"}}
	with := func(d store.DatabaseConfig, change func(*store.DatabaseConfig)) store.DatabaseConfig {
		change(&d)
		return d
	}
	for name, d := range map[string]store.DatabaseConfig{
		"password":    tcp,
		"user":        with(tcp, func(d *store.DatabaseConfig) { d.Username, d.Password = "desk", "wort" }),
		"database":    with(tcp, func(d *store.DatabaseConfig) { d.DB = 3 }),
		"TLS":         tls,
		"unix socket": {Unix: redis.Socket, Password: "geheim"},
	} {
		t.Run(name, func(t *testing.T) {
			tr := openOn(t, redis, store.Config{Database: d})
			put(t, tr.Positions.Put(t.Context(), position))
			_, err := tr.Positions.Get(t.Context(), position.PositionID)
			put(t, err)
			if keyspace := fmt.Sprintf("db%d:", d.DB); !strings.Contains(tr.do("INFO", "keyspace"), keyspace) {
				t.Errorf("nothing was stored in database %d: %s", d.DB, tr.do("INFO", "keyspace"))
			}
			tr.do("FLUSHALL")
		})
	}
	for name, tc := range map[string]struct {
		d    store.DatabaseConfig
		want string
	}{
		"wrong password": {with(tcp, func(d *store.DatabaseConfig) { d.Password = "falsch" }), "WRONGPASS"},
		"no password":    {with(tcp, func(d *store.DatabaseConfig) { d.Password = "" }), "NOAUTH"},
		"unknown CA":     {with(tls, func(d *store.DatabaseConfig) { d.TLS.CA = "" }), "certificate"},
		"other name":     {with(tls, func(d *store.DatabaseConfig) { d.TLS.ServerName = "other.example" }), "other.example"},
		"plain to TLS":   {with(tls, func(d *store.DatabaseConfig) { d.SSL, d.TLS = false, store.TLSConfig{} }), "127.0.0.1"},
		"TLS to plain":   {with(tls, func(d *store.DatabaseConfig) { d.Port = redis.Port() }), "127.0.0.1"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			_, err := store.Open(t.Context(), store.Config{Database: tc.d, Logger: slog.New(slog.DiscardHandler)})
			if err == nil || !strings.Contains(err.Error(), tc.want) || strings.Contains(err.Error(), "falsch") {
				t.Errorf("got %v, want %q in it and no password", err, tc.want)
			}
			if d := time.Since(start); d > 4*time.Second {
				t.Errorf("took %v to say so", d)
			}
		})
	}
}
