package main

import (
	"context"
	"fmt"
	"net"
	"runtime"
	"strconv"

	"github.com/nacre-store/nacre/bench/internal/dataset"
	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/bench/internal/peer"
	"github.com/nacre-store/nacre/bench/internal/report"
	"github.com/nacre-store/nacre/bench/internal/target"
	"github.com/nacre-store/nacre/bench/internal/verdict"
	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/redis/go-redis/v9"
	"github.com/redis/rueidis"
	"golang.org/x/perf/benchmath"
)

// Peers are measured in a closed loop, slice by slice in turn: never one after the other.
const (
	peerRounds = 12
	peerSlices = 4
)

// A rival is one way to keep an order in Redis.
type rival struct {
	name   string
	only   string // "read" or "write"; empty = both.
	target func(kind load.Kind, slots int) load.Target

	loop   *load.Closed
	p95s   []float64
	perSec []float64
	total  *load.Sample
}

func (s *session) peers(ctx context.Context) error {
	srv := s.servers[0]
	rivals, closeAll, err := s.rivals(ctx, srv)
	defer closeAll()
	if err != nil {
		return err
	}
	for _, kind := range []load.Kind{load.Read, load.Write} {
		if err := s.contest(ctx, rivals, kind); err != nil {
			return err
		}
	}
	s.sum.Ceiling, err = ceiling(ctx, srv, s.cfg.peers)
	return err
}

// rivals loads each peer's own copy of the orders. The first is what all are compared with.
func (s *session) rivals(ctx context.Context, srv *server) (all []*rival, closeAll func(), err error) {
	var closers []func() error
	closeAll = func() {
		for _, c := range closers {
			_ = c()
		}
	}
	orders := target.Only(srv.set, dataset.Order)
	mix := func(kind load.Kind) target.Mix {
		return target.Mix{Set: srv.set, Keys: orders, Writes: 100 * int(kind), Seed: s.cfg.seed}
	}
	network, address := "tcp", net.JoinHostPort(srv.db.Host, strconv.Itoa(srv.db.Port))
	if srv.db.Unix != "" {
		network, address = "unix", srv.db.Unix
	}
	opt := target.RawOption(network, address, srv.db.Username, srv.db.Password, srv.db.DB)
	again, err := rueidis.NewClient(opt)
	if err != nil {
		return nil, closeAll, err
	}
	closers = append(closers, func() error { again.Close(); return nil })
	all = []*rival{
		{name: raw, target: func(k load.Kind, n int) load.Target { return target.NewRaw(srv.raw, mix(k), n) }},
		{name: raw + " again (A/A)", target: func(k load.Kind, n int) load.Target { return target.NewRaw(again, mix(k), n) }},
		{name: ours, target: func(k load.Kind, n int) load.Target { return target.NewNacre(srv.tables, mix(k), n) }},
	}
	if srv.kind == "private" { // The embedded server has no tracking.
		near, err := srv.openStore(ctx, func(c *store.Config) { c.Cache = "on" })
		if err != nil {
			return nil, closeAll, err
		}
		closers = append(closers, func() error { return near.Close(context.WithoutCancel(ctx)) })
		all = append(all, &rival{name: ours + " (near-cache)", only: "read", target: func(k load.Kind, n int) load.Target {
			return target.NewNacre(trading.New(near), mix(k), n)
		}})
	}
	var ids []string
	var rows [][]byte
	target.Each(orders, func(i int) {
		ids = append(ids, srv.set.ID(i))
		rows = append(rows, srv.set.Data(i))
	})
	cached := opt
	cached.DisableCache = false
	docache, err := peer.Rueidis(cached, true)
	if err != nil {
		return nil, closeAll, err
	}
	goOpt := &redis.Options{Network: network, Addr: address, Username: srv.db.Username, Password: srv.db.Password, DB: srv.db.DB}
	for _, p := range []struct {
		name   string
		client peer.Client
		codec  peer.Codec
	}{
		{"rueidis DoCache + " + peer.Msgp.Name, docache, peer.Msgp},
		{"go-redis + " + peer.Vmihailenco.Name, peer.GoRedis(goOpt), peer.Vmihailenco},
		{"go-redis + " + peer.JSON.Name, peer.GoRedis(goOpt), peer.JSON},
	} {
		made, err := peer.New(p.name, p.client, p.codec, fmt.Sprintf("%s-peer%d", srv.prefix, len(closers)), ids, rows)
		if err != nil {
			return nil, closeAll, err
		}
		closers = append(closers, made.Close)
		s.prog.show(-1, 0, "load "+p.name)
		if err := made.Load(ctx); err != nil {
			return nil, closeAll, err
		}
		all = append(all, &rival{name: p.name, target: func(k load.Kind, n int) load.Target { return made.Target(k, s.cfg.seed, n) }})
	}
	return all, closeAll, nil
}

// contest measures all rivals at one kind of request.
func (s *session) contest(ctx context.Context, rivals []*rival, kind load.Kind) error {
	var in []*rival
	for _, r := range rivals {
		if r.only == "" || r.only == kind.String() {
			r.loop, r.total, r.p95s, r.perSec = load.NewClosed(r.target(kind, s.cfg.peers), s.cfg.peers), load.NewSample(), nil, nil
			in = append(in, r)
		}
	}
	for round := -1; round < peerRounds; round++ { // The first one warms up.
		for n := range peerSlices {
			for i := range in {
				at := (i + round + 1) % len(in)
				if n%2 == 1 {
					at = len(in) - 1 - at
				}
				if err := in[at].loop.Run(ctx, s.cfg.slice); err != nil {
					return fmt.Errorf("%s: %w", in[at].name, err)
				}
			}
			s.prog.show(float64(max(round, 0)*peerSlices+n)/(peerRounds*peerSlices), 0, kind.String()+"s of all clients in turn")
		}
		for _, r := range in {
			got := r.loop.Collect()
			if round < 0 {
				continue
			}
			r.p95s = append(r.p95s, float64(verdict.Quantile(got.Service[kind], 0.95)))
			r.perSec = append(r.perSec, got.PerSecond())
			r.total.Merge(got)
		}
	}
	for _, r := range in {
		s.sum.Peers = append(s.sum.Peers, report.Peer{
			Name: r.name, Workload: kind.String(), Clients: s.cfg.peers, P95: summary(r.p95s), PerSec: summary(r.perSec),
			P95Ratio: verdict.Ratio(r.p95s, in[0].p95s), OpsRatio: verdict.Ratio(r.perSec, in[0].perSec),
			Allocs: allocs(ctx, r.target(kind, 1)), Errors: r.total.Errors, Mismatch: r.total.Mismatch,
		})
	}
	return nil
}

// summary is the median with its distribution-free interval.
func summary(v []float64) verdict.Interval {
	sum := benchmath.AssumeNothing.Summary(benchmath.NewSample(v, &benchmath.DefaultThresholds), 0.95)
	return verdict.Interval{Mid: sum.Center, Lo: sum.Lo, Hi: sum.Hi, N: len(v)}
}

// allocs counts the allocations of single requests; preparing and checking them is not included.
func allocs(ctx context.Context, t load.Target) float64 {
	const n = 1000
	var total uint64
	var a, b runtime.MemStats
	for range n {
		t.Prepare(0)
		runtime.ReadMemStats(&a)
		err := t.Do(ctx, 0)
		runtime.ReadMemStats(&b)
		if err != nil {
			return -1
		}
		total += b.Mallocs - a.Mallocs
	}
	return float64(total) / n
}
