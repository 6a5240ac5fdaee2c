package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/nacre-store/nacre/bench/internal/dataset"
	"github.com/nacre-store/nacre/bench/internal/probe"
	"github.com/nacre-store/nacre/bench/internal/target"
	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	storeconfig "github.com/nacre-store/nacre/store/config"
	"github.com/nacre-store/nacre/store/storetest"
	"github.com/redis/rueidis"
)

// A server is one Redis with one keyspace in it.
type server struct {
	kind    string // "private", "given" or "embedded".
	address string // As people read it.
	keys    keyspace
	db      store.DatabaseConfig
	prefix  string
	proc    *storetest.Server // Of a private one.
	embed   *miniredis.Miniredis
	store   *store.Store
	tables  trading.Tables
	raw     rueidis.Client
	set     *dataset.Set
	meter   *probe.Meter
}

// open starts or finds a server and connects both clients.
func openServer(ctx context.Context, cfg *config, k keyspace) (*server, error) {
	s := &server{keys: k, prefix: "trader"}
	switch {
	case cfg.url != "":
		s.kind, s.prefix = "given", "nacrebench"+strings.ToLower(rand.Text()[:10])
		var err error
		if s.db, err = parseURL(cfg.url); err != nil {
			return nil, err
		}
	default:
		opts := storetest.ServerOptions{Unix: cfg.transport == "unix", InMemory: !cfg.aof}
		if cfg.aof {
			opts.Args = []string{"--save", "", "--appendonly", "yes", "--appendfsync", "everysec"}
		}
		proc, err := storetest.Start(opts)
		switch {
		case err == nil:
			s.kind, s.proc = "private", proc
			if err := cfg.pinServer(proc.PID()); err != nil {
				s.close()
				return nil, err
			}
			s.db = store.DatabaseConfig{Host: "127.0.0.1", Port: proc.Port()}
			if proc.Socket != "" {
				s.db = store.DatabaseConfig{Unix: proc.Socket}
			}
		case os.Getenv("NACRE_REDIS_SERVER") != "" || cfg.transport == "unix" || cfg.aof || cfg.pin:
			return nil, err
		default: // No Redis on this machine: the embedded one, whose figures can't be judged.
			s.kind = "embedded"
			s.embed = miniredis.NewMiniRedis()
			if err := s.embed.Start(); err != nil {
				return nil, err
			}
			s.db = store.DatabaseConfig{Host: s.embed.Host(), Port: s.embed.Server().Addr().Port}
		}
	}
	s.address = s.db.Unix
	if s.address == "" {
		s.address = s.db.Host + ":" + strconv.Itoa(s.db.Port)
	}
	if err := s.connect(ctx); err != nil {
		s.close()
		return nil, err
	}
	s.set = dataset.New(s.prefix)
	pid := 0
	if s.proc != nil {
		pid = s.proc.PID()
	}
	s.meter = probe.NewMeter(pid)
	return s, nil
}

func (s *server) connect(ctx context.Context) (err error) {
	if s.store, err = s.openStore(ctx, nil); err != nil {
		return err
	}
	s.tables = trading.New(s.store)
	network, address := "tcp", s.db.Host+":"+strconv.Itoa(s.db.Port)
	if s.db.Unix != "" {
		network, address = "unix", s.db.Unix
	}
	opt := target.RawOption(network, address, s.db.Username, s.db.Password, s.db.DB)
	if s.db.SSL {
		return errors.New("NACRE_REDIS_URL: the bench measures without TLS; use redis:// or unix://")
	}
	s.raw, err = rueidis.NewClient(opt)
	return err
}

// openStore opens another store on the same keys. Headline figures are of one without a near-cache: reads that
// really go to Redis.
func (s *server) openStore(ctx context.Context, change func(*store.Config)) (*store.Store, error) {
	cfg := store.Config{Database: s.db, Prefix: s.prefix, Schemas: []store.Schema{trading.Schema}, Cache: "off"}
	if change != nil {
		change(&cfg)
	}
	return store.Open(ctx, cfg)
}

// openSpec opens a store on the same keys with the specification's configuration, in which only the server and
// the prefix are others.
func (s *server) openSpec(ctx context.Context, root string) (*store.Store, error) {
	f, err := os.Open(filepath.Join(root, "testdata", "spec-config.yaml"))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	spec, err := storeconfig.Load(f)
	if err != nil {
		return nil, err
	}
	return s.openStore(ctx, func(c *store.Config) {
		own := *c
		*c = spec
		c.Prefix, c.Schemas, c.Database = own.Prefix, own.Schemas, own.Database
		c.Database.Timeout = spec.Database.Timeout
	})
}

// close ends what the bench started, and removes its keys from a Redis that was given.
func (s *server) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var errs []error
	if s.store != nil {
		if s.kind == "given" && s.raw != nil {
			if s.alive(ctx) == nil {
				errs = append(errs, s.store.Purge(ctx))
			} else {
				errs = append(errs, fmt.Errorf("the Redis at %s is gone: keys %s-* may be left in it", s.address, s.prefix))
			}
		}
		errs = append(errs, s.store.Close(ctx))
	}
	if s.raw != nil {
		s.raw.Close()
	}
	if s.proc != nil {
		errs = append(errs, s.proc.Close())
	}
	if s.embed != nil {
		s.embed.Close()
	}
	if s.set != nil {
		errs = append(errs, s.set.Free())
	}
	return errors.Join(errs...)
}

// alive tells whether the server still answers, apart from what the store makes of it.
func (s *server) alive(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 2*time.Second)
	defer cancel()
	if err := s.raw.Do(ctx, s.raw.B().Ping().Build()).Error(); err != nil {
		return fmt.Errorf("the Redis at %s is gone: %w", s.address, err)
	}
	return nil
}

// describe asks the server what it is.
func (s *server) describe(ctx context.Context) probe.Server {
	d := probe.Server{Keys: s.set.Len(), Kind: s.kind, Address: s.address, Config: map[string]string{}}
	if s.kind != "given" {
		d.Address = "127.0.0.1, own port" // A port that is another one each time says nothing.
	}
	info, _ := s.raw.Do(ctx, s.raw.B().Info().Build()).ToString()
	for line := range strings.Lines(info) {
		k, v, _ := strings.Cut(strings.TrimSpace(line), ":")
		switch k {
		case "redis_version":
			d.Version = v
		case "used_memory":
			d.Memory, _ = strconv.ParseInt(v, 10, 64)
		case "connected_clients":
			n, _ := strconv.Atoi(v)
			d.Clients = max(0, n-2) // The store's and the raw client's.
		}
	}
	for _, name := range []string{"save", "appendonly", "appendfsync", "maxmemory", "maxmemory-policy", "io-threads", "latency-tracking"} {
		if m, err := s.raw.Do(ctx, s.raw.B().ConfigGet().Parameter(name).Build()).AsStrMap(); err == nil {
			d.Config[name] = m[name]
		}
	}
	var pings []time.Duration
	for range 200 {
		begin := time.Now()
		if s.raw.Do(ctx, s.raw.B().Ping().Build()).Error() != nil {
			break
		}
		pings = append(pings, time.Since(begin))
	}
	d.PingP50 = middle(pings)
	return d
}

// parseURL reads redis://[user:password@]host[:port][/db] and unix:///path.
func parseURL(s string) (store.DatabaseConfig, error) {
	u, err := url.Parse(s)
	if err != nil {
		return store.DatabaseConfig{}, errors.New("NACRE_REDIS_URL is no URL")
	}
	d := store.DatabaseConfig{Username: u.User.Username()}
	d.Password, _ = u.User.Password()
	switch {
	case u.Scheme == "unix" && u.Path != "":
		d.Unix = u.Path
		return d, nil
	case u.Scheme == "rediss":
		d.SSL = true
	case u.Scheme != "redis" || u.Hostname() == "":
		return d, errors.New("NACRE_REDIS_URL is not redis://host[:port][/db] or unix:///path")
	}
	d.Host, d.Port = u.Hostname(), 6379
	if p := u.Port(); p != "" {
		if d.Port, err = strconv.Atoi(p); err != nil || d.Port < 1 || d.Port > 65535 {
			return d, fmt.Errorf("NACRE_REDIS_URL: %q is no port", p)
		}
	}
	if db := strings.Trim(u.Path, "/"); db != "" {
		if d.DB, err = strconv.Atoi(db); err != nil {
			return d, fmt.Errorf("NACRE_REDIS_URL: %q is no database", db)
		}
	}
	return d, nil
}
