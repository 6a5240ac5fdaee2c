package store_test

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
	"github.com/nacre-store/nacre/store/internal/testcert"
)

// exercise opens a store and does everything once.
func exercise(t *testing.T, cfg store.Config, ns string, raw func(...string) (string, error)) {
	t.Helper()
	cfg.Schemas, cfg.Logger = []store.Schema{trading.Schema}, slog.New(slog.DiscardHandler)
	s, err := store.Open(t.Context(), cfg)
	must(t, err)
	defer closeStore(s)
	if err := (&workout{Store: s, ns: ns, raw: raw}).run(t.Context()); err != nil {
		t.Errorf("%v", err)
	}
}

func closeStore(s *store.Store) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	_ = s.Close(ctx)
}

func TestConnectPassword(t *testing.T) {
	srv := redistest.Run(t, redistest.Options{Password: "s3cret", Unix: true})
	t.Run("tcp", func(t *testing.T) {
		exercise(t, with(at(srv.Port()), func(c *store.Config) { c.Database.Password = "s3cret" }), "trader", srv.Do)
	})
	t.Run("buffered", func(t *testing.T) {
		exercise(t, with(at(srv.Port()), func(c *store.Config) { buffered(c); c.Database.Password = "s3cret" }), "trader", srv.Do)
	})
	t.Run("unix socket", func(t *testing.T) {
		cfg := store.Config{Database: store.DatabaseConfig{Unix: srv.Socket, Password: "s3cret", Timeout: 1}}
		exercise(t, cfg, "trader", srv.Do)
	})
}

func TestConnectUnixSaysWhy(t *testing.T) {
	path := filepath.Join(t.TempDir(), "no.sock")
	_, err := store.Open(t.Context(), store.Config{Database: store.DatabaseConfig{Unix: path}})
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), path) || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("%v", err)
	}
}

// A database number selects one, also on the connections that replace others.
func TestConnectDatabase(t *testing.T) {
	srv := redistest.New(t)
	in := func(db string) func(args ...string) (string, error) {
		return func(args ...string) (string, error) { return srv.DoIn(db, args...) }
	}
	cfg := with(at(srv.Port()), func(c *store.Config) { c.Database.DB = 3 })
	exercise(t, cfg, "trader", in("3"))

	three := openOn(t, srv, func(c *store.Config) { c.Database.DB = 3 })
	zero := openOn(t, srv)
	ctx := t.Context()
	must(t, three.Positions.Put(ctx, position("P-1", trading.PositionSideLong)))
	if n := count(t, zero.Positions.Set); n != 0 {
		t.Errorf("database 0 shows %d rows of database 3", n)
	}
	must(t, zero.Purge(ctx))
	if n := count(t, three.Positions.Set); n != 1 {
		t.Errorf("a purge in database 0 left %d rows in database 3, want 1", n)
	}
	_, err := srv.Do("CLIENT", "KILL", "TYPE", "normal")
	must(t, err)
	if _, err := three.Positions.Update(ctx, "P-1", func(p *trading.Position) error { p.Quantity = dec("7"); return nil }); err != nil {
		t.Errorf("behind a lost connection: %v", err)
	}
	if n, err := in("0")("DBSIZE"); n != "0" || err != nil {
		t.Errorf("database 0 has %s keys, %v", n, err)
	}
}

// tlsServer is a Redis with a TLS port.
func tlsServer(t *testing.T, ca *testcert.Authority, server testcert.Pair, clients string) (*redistest.Server, int) {
	t.Helper()
	port, err := redistest.FreePort()
	must(t, err)
	return redistest.New(t, "--tls-port", strconv.Itoa(port), "--tls-cert-file", server.Cert, "--tls-key-file", server.Key,
		"--tls-ca-cert-file", ca.File, "--tls-auth-clients", clients), port
}

func TestConnectTLS(t *testing.T) {
	t.Parallel()
	ca, other := testcert.New(t), testcert.New(t)
	client, stranger := ca.Issue("client"), other.Issue("client")
	srv, port := tlsServer(t, ca, ca.Issue("redis.example"), "yes")
	_, expired := tlsServer(t, ca, ca.Expired("redis.example"), "no")
	right := store.TLSConfig{CA: ca.File, Cert: client.Cert, Key: client.Key, ServerName: "redis.example"}

	exercise(t, with(at(port), func(c *store.Config) { c.Database.TLS = right }), "trader", srv.Do)

	for name, c := range map[string]struct {
		port   int
		change func(*store.TLSConfig)
		class  error
		says   string
	}{
		"expired":          {expired, nil, store.ErrRefused, "expired"},
		"wrong authority":  {port, func(c *store.TLSConfig) { c.CA = other.File }, store.ErrRefused, "unknown authority"},
		"system authority": {port, func(c *store.TLSConfig) { c.CA = "" }, store.ErrRefused, "unknown authority"},
		"wrong name":       {port, func(c *store.TLSConfig) { c.ServerName = "else.example" }, store.ErrRefused, "redis.example, not else.example"},
		"name of the host": {port, func(c *store.TLSConfig) { c.ServerName = "" }, store.ErrRefused, "127.0.0.1"},
		"no certificate":   {port, func(c *store.TLSConfig) { c.Cert, c.Key = "", "" }, store.ErrRefused, "certificate required"},
		"strange client":   {port, func(c *store.TLSConfig) { c.Cert, c.Key = stranger.Cert, stranger.Key }, store.ErrRefused, "unknown certificate authority"},
		"no file":          {port, func(c *store.TLSConfig) { c.CA = "/no/ca.pem" }, store.ErrRefused, "database.tls.ca: open /no/ca.pem"},
		"no certificates":  {port, func(c *store.TLSConfig) { c.CA = client.Key }, store.ErrRefused, "no certificate in"},
		"no key":           {port, func(c *store.TLSConfig) { c.Key = client.Cert }, store.ErrRefused, "database.tls.cert"},
		"plain port":       {srv.Port(), nil, store.ErrUnavailable, "does this port speak TLS?"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := with(at(c.port), func(cfg *store.Config) {
				cfg.Database.TLS = right
				if c.change != nil {
					c.change(&cfg.Database.TLS)
				}
			})
			s, err := store.Open(t.Context(), cfg)
			if err == nil {
				closeStore(s)
				t.Fatal("it opened")
			}
			if !errors.Is(err, c.class) || !strings.Contains(err.Error(), c.says) {
				t.Errorf("%v, want %v saying %q", err, c.class, c.says)
			}
		})
	}
}
