package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// listen serves every connection with f and returns the port.
func listen(t *testing.T, f func(net.Conn)) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				f(c)
			}()
		}
	}()
	return l.Addr().(*net.TCPAddr).Port
}

// swallow reads for ever and never answers.
func swallow(c net.Conn) { _, _ = io.Copy(io.Discard, c) }

// oldRedis answers like a server of the given version, as far as Open asks.
func oldRedis(version string) func(net.Conn) {
	return func(c net.Conn) {
		r := bufio.NewReader(c)
		for {
			head, err := r.ReadString('\n')
			if err != nil {
				return
			}
			var n int
			if _, err := fmt.Sscanf(head, "*%d", &n); err != nil {
				return
			}
			var args []string
			for range n {
				_, _ = r.ReadString('\n')
				a, _ := r.ReadString('\n')
				args = append(args, strings.ToUpper(strings.TrimSpace(a)))
			}
			bulk := func(s string) { _, _ = fmt.Fprintf(c, "$%d\r\n%s\r\n", len(s), s) }
			switch cmd := strings.Join(args, " "); {
			case cmd == "CLIENT INFO":
				bulk("id=7 addr=127.0.0.1:9 name=")
			case strings.HasPrefix(cmd, "HELLO"):
				_, _ = fmt.Fprint(c, "%1\r\n$5\r\nproto\r\n:3\r\n")
			case strings.HasPrefix(cmd, "INFO"):
				bulk("# Server\r\nredis_version:" + version + "\r\n")
			case cmd == "TIME":
				_, _ = fmt.Fprint(c, "*2\r\n$10\r\n1700000000\r\n$1\r\n0\r\n")
			default:
				_, _ = fmt.Fprint(c, "+OK\r\n")
			}
		}
	}
}

func TestOpenSaysWhy(t *testing.T) {
	srv := redistest.Run(t, redistest.Options{Password: "right-secret"})
	evicting := redistest.New(t, "--maxmemory-policy", "allkeys-lru")
	free, err := redistest.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	http := listen(t, func(c net.Conn) {
		_, _ = bufio.NewReader(c).ReadString('\n')
		_, _ = fmt.Fprint(c, "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n")
	})
	silent := listen(t, swallow)
	closing := listen(t, func(net.Conn) {})
	old := listen(t, oldRedis("6.2.14"))

	for _, c := range []struct {
		name  string
		cfg   store.Config
		class error
		says  []string
	}{
		{"nobody listens", at(free), store.ErrUnavailable, []string{"connection refused"}},
		{"silent", at(silent), store.ErrUnavailable, []string{"no answer within the timeout"}},
		{"closes", at(closing), store.ErrUnavailable, []string{"connection"}},
		{"not Redis", at(http), store.ErrRefused, []string{"not of a Redis server"}},
		{"too old", at(old), store.ErrRefused, []string{"6.2.14", "7.0"}},
		{"no password", at(srv.Port()), store.ErrRefused, []string{"NOAUTH"}},
		{"wrong password", with(at(srv.Port()), func(c *store.Config) { c.Database.Password = "wrong-secret" }), store.ErrRefused, []string{"WRONGPASS"}},
		{"evicting", at(evicting.Port()), store.ErrRefused, []string{"maxmemory-policy allkeys-lru", "noeviction"}},
		{"plain port over TLS", with(at(srv.Port()), func(c *store.Config) { c.Database.SSL = true }), store.ErrUnavailable, []string{"TLS"}},
		{"no database", with(at(srv.Port()), func(c *store.Config) { c.Database.Password, c.Database.DB = "right-secret", 99 }), store.ErrRefused, []string{"DB index is out of range"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			start := time.Now()
			s, err := store.Open(t.Context(), c.cfg)
			if err == nil {
				_ = s.Close(t.Context())
				t.Fatal("it opened")
			}
			if !errors.Is(err, c.class) {
				t.Errorf("%v is no %v", err, c.class)
			}
			text := err.Error()
			for _, want := range append(c.says, fmt.Sprint(c.cfg.Database.Port)) {
				if !strings.Contains(text, want) {
					t.Errorf("%q does not say %q", text, want)
				}
			}
			if strings.Contains(text, "secret") || strings.Contains(text, "\n") {
				t.Errorf("%q shows a secret or has several lines", text)
			}
			if d := time.Since(start); d > 5*time.Second {
				t.Errorf("it took %v with a timeout of 1 s", d)
			}
		})
	}
}

func TestOpenConfig(t *testing.T) {
	no := false
	for option, cfg := range map[string]store.Config{
		"database.type":      {Database: store.DatabaseConfig{Type: "postgres"}},
		"database.port":      {Database: store.DatabaseConfig{Port: 70000}},
		"database.timeout":   {Database: store.DatabaseConfig{Timeout: -1}},
		"database.db":        {Database: store.DatabaseConfig{DB: -1}},
		"database.sentinel":  {Database: store.DatabaseConfig{Sentinel: store.SentinelConfig{Master: "m"}}},
		"are of sentinels":   {Database: store.DatabaseConfig{Sentinel: store.SentinelConfig{Password: "secret"}}},
		"database:":          {Database: store.DatabaseConfig{Unix: "/tmp/x", Host: "h"}},
		"database.tls":       {Database: store.DatabaseConfig{TLS: store.TLSConfig{Cert: "c"}}},
		"encoding":           {Encoding: "xml"},
		"buffer_interval_ms": {BufferIntervalMS: -1},
		"buffer_entries":     {BufferEntries: -1},
		"buffer_bytes":       {BufferBytes: -1},
		"buffer_full":        {BufferFull: "drop"},
		"max_block":          {MaxBlock: -1},
		"open_wait":          {OpenWait: -1},
		"fence":              {Fence: "off"},
		"tick_capacity":      {TickCapacity: -1},
		"bar_capacity":       {BarCapacity: -1},
		"use_trader_prefix":  {UseTraderPrefix: &no, TraderID: "T"},
		"instance_id":        {UseInstanceID: true},
		"prefix":             {Prefix: "a-b"},
		"ttl":                {TTL: map[string]string{"nothing": "1d"}},
	} {
		if _, err := store.Open(t.Context(), cfg); !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), option) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", option, err)
		}
	}
}

// A context that ends stops Open, and nothing is left behind.
func TestOpenCancelled(t *testing.T) {
	silent := listen(t, swallow)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	start := time.Now()
	if _, err := store.Open(ctx, at(silent)); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Open: %v", err)
	}
	if d := time.Since(start); d > time.Second {
		t.Errorf("it took %v", d)
	}
}

func at(port int) store.Config {
	return store.Config{Database: store.DatabaseConfig{Host: "127.0.0.1", Port: port, Timeout: 1}}
}

func with(c store.Config, f func(*store.Config)) store.Config {
	f(&c)
	return c
}

// Where a restart of Redis loses what was acknowledged, the log says so once,
// however many tenants are opened and however often the connection is lost.
func TestOpenSaysThatNothingPersists(t *testing.T) {
	for _, c := range []struct {
		opts redistest.Options
		want int
	}{{redistest.Options{InMemory: true}, 1}, {redistest.Options{}, 0}} {
		var log logLines
		d := openOn(t, redistest.Run(t, c.opts), func(c *store.Config) { c.Logger = slog.New(slog.NewTextHandler(&log, nil)) })
		_, err := d.Tenant("T1", "")
		must(t, err)
		must(t, d.srv.Restart())
		soon(t, "it works again", func() bool {
			return d.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)) == nil
		})
		if n := strings.Count(log.String(), "no append-only file"); n != c.want {
			t.Errorf("%+v: said %d times, want %d:\n%s", c.opts, n, c.want, log.String())
		}
	}
}
