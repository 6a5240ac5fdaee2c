package store

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/nacre-store/nacre/store/internal/buffer"
	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/internal/key"
	"github.com/nacre-store/nacre/store/internal/meta"
	"github.com/nacre-store/nacre/store/internal/write"
)

// A Store is one tenant's state in Redis: a trader, or one instance of it. It
// is safe for concurrent use. Emitted packages put typed repositories on it:
//
//	s, err := store.Open(ctx, store.Config{TraderID: "TRADER-001", Schemas: []store.Schema{trading.Schema}})
//	t := trading.New(s)
//	p, err := t.Positions.Get(ctx, "BTCUSDT-PERP.BINANCE-EMACross-001")
type Store struct {
	*shared
	ns      key.Namespace
	meta    *meta.Meta     // nil: all indexes count as built
	pending *buffer.Tenant // accepted writes; nil without a buffer

	mu     sync.Mutex
	tables map[string]any // the bound tables and series by type word
	busy   activity
	sweeps sweeps
	wrote  atomic.Bool // has written, and says so to others
	view   bool        // made by Tenant: Close leaves the connections open
}

// shared is what all tenants of one Open have in common.
type shared struct {
	cfg   Config
	log   *slog.Logger
	conn  *conn.Conn
	exec  *write.Executor
	known map[string]known // described tables and series by type word
	near
	presence presence
	reading  reading
	writers  writers

	buffer    *buffer.Buffer // nil: writes are sent at once
	pendingMu sync.Mutex
	pendings  map[string]*buffer.Tenant // by namespace
}

// Session is a *[Store] or a *[Tx]: what an emitted New takes, so that
// repositories join a Commit by New(tx).
type Session interface{ session() (*Store, *Tx) }

func (s *Store) session() (*Store, *Tx) { return s, nil }

// Open connects to Redis and checks the configuration, the server and the
// schemas. It fails within Database.Timeout, behind OpenWait if there is one,
// and names the address and the cause; the password is never part of an error.
func Open(ctx context.Context, cfg Config) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	sh := &shared{cfg: cfg, log: cfg.Logger}
	sh.feeds = &feeds{by: map[string][]source{}}
	if sh.log == nil {
		sh.log = slog.Default()
	}
	var err error
	if sh.known, err = know(cfg); err != nil {
		return nil, err
	}
	if cfg.Client != nil {
		sh.conn = conn.Given(cfg.Client)
		sh.uncached = "the client was given"
	} else if err := sh.connect(ctx); err != nil {
		return nil, err
	}
	sh.exec = &write.Executor{Conn: sh.conn}
	sh.startBuffer()
	s, err := sh.tenant(cfg.TraderID, cfg.InstanceID)
	if err == nil && cfg.FlushOnStart {
		if err = s.soleWriter(ctx); err == nil {
			err = s.Purge(ctx)
		}
	}
	if err != nil {
		if sh.buffer != nil {
			sh.buffer.Close(ctx)
		}
		sh.writers.end(ctx, sh)
		sh.beat.stop()
		sh.conn.Close()
		return nil, err
	}
	s.present(ctx)
	return s, nil
}

func (sh *shared) connectOnce(ctx context.Context) error {
	d := sh.cfg.Database
	tc, err := d.tlsConfig()
	if err != nil {
		return err
	}
	limit := time.Now().Add(d.timeout())
	sh.conn, err = sh.open(ctx, conn.Options{
		Addresses: d.addresses(), Unix: d.Unix, Username: d.Username, Password: d.Password,
		TLS: tc, DB: d.DB, Timeout: d.timeout(), Logger: sh.log,
		Sentinel: d.Sentinel.Master, SentinelUN: d.Sentinel.Username, SentinelPW: d.Sentinel.Password,
		Cluster: len(d.Cluster) > 0, FenceRequired: sh.cfg.Fence == "required", OnDial: sh.presence.forget,
	})
	if err != nil {
		c := ErrUnavailable
		if conn.Classify(err) == conn.Refused {
			c = ErrRefused
		}
		return fmt.Errorf("open redis at %s: %w", d.address(), class(c, err))
	}
	srv := sh.conn.Server()
	if srv.Eviction != "" && srv.Eviction != "noeviction" && !sh.cfg.AllowEviction {
		sh.conn.Close()
		return refused("redis at %s has maxmemory-policy %s, which may drop rows; set it to noeviction, or allow_eviction", d.address(), srv.Eviction)
	}
	if srv.Replica {
		sh.log.Warn("redis is a replica: it takes no writes, and what it answers may be old", "address", d.address())
	}
	if srv.Version != "" && !srv.AOF {
		sh.log.Warn("redis has no append-only file: a restart of it may lose acknowledged writes", "address", d.address())
	}
	ctx, cancel := context.WithDeadline(ctx, limit)
	defer cancel()
	sh.startBeat(ctx)
	return nil
}

// Tenant returns the store of another trader, or of another instance, over the
// same connections. Closing it only waits for its own operations.
func (s *Store) Tenant(traderID, instanceID string) (*Store, error) {
	t, err := s.shared.tenant(traderID, instanceID)
	if err == nil {
		t.view = true
	}
	return t, err
}

func (sh *shared) tenant(traderID, instanceID string) (*Store, error) {
	c := sh.cfg
	c.TraderID, c.InstanceID = traderID, instanceID
	ns, err := c.namespace()
	if err != nil {
		return nil, refused("tenant: %w", err)
	}
	return &Store{shared: sh, ns: ns, meta: sh.metaOf(ns), pending: sh.pendingOf(ns), tables: map[string]any{}}, nil
}

func (c Config) prefix() string {
	if c.Prefix == "" {
		return "trader"
	}
	return c.Prefix
}

func (c Config) namespace() (key.Namespace, error) {
	return key.New(c.prefix(), c.TraderID, c.InstanceID, c.HashTag || len(c.Database.Cluster) > 0)
}

// Flush is a barrier: it returns nil once everything that was accepted before
// the call is acknowledged by Redis; otherwise the error names what is not.
func (s *Store) Flush(ctx context.Context) (err error) {
	t := s.time(ctx, "flush", "", "")
	defer t.done(0, &err)
	return s.busy.enter(func() error {
		if err := s.flush(ctx); err != nil {
			return fmt.Errorf("flush: %w", err)
		}
		return ctx.Err()
	})
}

// Close flushes, waits for operations under way and closes the connections. Its
// error names what could not be written. Operations begun later give
// [ErrClosed].
func (s *Store) Close(ctx context.Context) error {
	err := s.busy.close(ctx)
	if errors.Is(err, ErrClosed) {
		return fmt.Errorf("close: %w", err)
	}
	err = errors.Join(err, s.closeBuffer(ctx))
	for _, f := range s.feeds.of(s) {
		f.stop()
	}
	if s.view {
		s.writers.leave(ctx, s)
	} else {
		s.exec.Wait()
		s.beat.stop()
		s.absent(ctx)
		s.writers.end(ctx, s.shared)
		s.conn.Close()
	}
	if err != nil {
		return fmt.Errorf("close: %w", err)
	}
	return nil
}

// Purge deletes this tenant's keys and no others: those whose parsed namespace
// is this one. Rows written meanwhile may survive. It is not atomic.
func (s *Store) Purge(ctx context.Context) (err error) {
	t := s.time(ctx, "purge", "", "")
	defer t.done(0, &err)
	return s.busy.enter(func() error {
		if err := s.barrier(ctx); err != nil { // or what was accepted before comes back
			return fmt.Errorf("purge %s: %w", s.ns, err)
		}
		defer s.forget() // our own deletions come with no push
		masters, err := s.conn.Masters(ctx)
		if err != nil {
			return fmt.Errorf("purge %s: %w", s.ns, readClass(err))
		}
		for _, node := range masters {
			for _, pattern := range s.ns.Patterns() {
				if err := s.purge(ctx, node, pattern); err != nil {
					return fmt.Errorf("purge %s: %w", s.ns, errorClass(err))
				}
			}
		}
		s.writers.leave(ctx, s)
		if s.meta != nil {
			return readClass(s.meta.Purge(ctx))
		}
		return nil
	})
}

// activity counts operations, so that Close can wait for them.
type activity struct {
	mu     sync.RWMutex
	closed atomic.Bool
	ops    sync.WaitGroup
}

func (a *activity) enter(f func() error) error {
	if !a.begin() {
		return ErrClosed
	}
	defer a.ops.Done()
	return f()
}

func (a *activity) begin() bool {
	a.mu.RLock()
	defer a.mu.RUnlock()
	if a.closed.Load() {
		return false
	}
	a.ops.Add(1)
	return true
}

func (a *activity) close(ctx context.Context) error {
	a.mu.Lock()
	was := a.closed.Swap(true)
	a.mu.Unlock()
	if was {
		return ErrClosed
	}
	done := make(chan struct{})
	go func() { a.ops.Wait(); close(done) }()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
		return errors.Join(ctx.Err(), errors.New("operations are still under way"))
	}
}

// errorClass gives an error of the connection its public class.
func errorClass(err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, write.ErrConflict):
		return class(ErrConflict, err)
	case errors.Is(err, write.ErrAbsent):
		return class(ErrNotFound, err)
	case errors.Is(err, write.ErrPartial):
		return class(ErrRefused, err)
	}
	for _, c := range []error{ErrNotFound, ErrConflict, ErrUnknownOutcome, ErrUnavailable, ErrRefused, ErrUnsupported, ErrClosed} {
		if errors.Is(err, c) {
			return err
		}
	}
	switch conn.Classify(err) {
	case conn.NotApplied:
		return class(ErrUnavailable, err)
	case conn.Refused:
		return class(ErrRefused, err)
	case conn.Closed:
		return class(ErrClosed, err)
	}
	return class(ErrUnknownOutcome, err)
}

// readClass is errorClass for reads, whose outcome is never unknown.
func readClass(err error) error {
	if conn.Classify(err) == conn.Unknown {
		return class(ErrUnavailable, err)
	}
	return errorClass(err)
}

func (d DatabaseConfig) addresses() []string {
	switch {
	case d.Sentinel.Master != "":
		return d.Sentinel.Addresses
	case len(d.Cluster) > 0:
		return d.Cluster
	case d.Unix != "":
		return []string{d.Unix}
	}
	return []string{d.address()}
}

func (d DatabaseConfig) tlsConfig() (*tls.Config, error) {
	t := d.TLS
	if !d.SSL && t == (TLSConfig{}) {
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, ServerName: t.ServerName}
	if t.CA != "" {
		pem, err := os.ReadFile(t.CA)
		if err != nil {
			return nil, refused("config: database.tls.ca: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, refused("config: database.tls.ca: no certificate in %s", t.CA)
		}
	}
	if t.Cert != "" {
		cert, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return nil, refused("config: database.tls.cert: %w", err)
		}
		c.Certificates = []tls.Certificate{cert}
	}
	return c, nil
}

func joinHostPort(host string, port int) string {
	return net.JoinHostPort(strings.Trim(host, "[]"), strconv.Itoa(port))
}

// minDuration is the shortest TTL that Redis can count.
const minDuration = time.Millisecond
