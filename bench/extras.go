package main

import (
	"context"
	"fmt"
	"time"

	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/bench/internal/report"
	"github.com/nacre-store/nacre/bench/internal/target"
	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// extras is what a full run measures beside its claims.
func (s *session) extras(ctx context.Context) error {
	for _, stage := range []struct {
		step int
		name string
		run  func(context.Context) error
	}{
		{5, "other loads", s.variants},
		{6, "peers", s.peers},
		{7, "rate sweep", s.sweep},
	} {
		s.prog.step(stage.step, s.steps, stage.name)
		begin := time.Now()
		if err := stage.run(ctx); err != nil {
			return err
		}
		s.prog.done("%-6s in %.0f s", stage.name, time.Since(begin).Seconds())
	}
	return nil
}

// A variant is a load that no claim is made for.
type variant struct {
	name   string
	writes int
	change func(*config)
	server func(*config)       // Needs a server of its own.
	store  func(*store.Config) // Needs a store of its own.
	raw    bool                // The raw client has such a thing too.
}

func variants() []variant {
	poisson := func(c *config) { c.arrival = load.Poisson }
	zipf := func(c *config) { c.dist = "zipf" }
	closed := func(c *config) { c.loop = "closed" }
	return []variant{
		{name: "closed read", change: closed, raw: true},
		{name: "closed write", writes: 100, change: closed, raw: true},
		{name: "poisson read", change: poisson, raw: true},
		{name: "poisson write", writes: 100, change: poisson, raw: true},
		{name: "zipf read", change: zipf, raw: true},
		{name: "zipf write", writes: 100, change: zipf, raw: true},
		{name: "mixed 80/20", writes: 20, raw: true},
		{name: "cached zipf read", change: zipf, store: func(c *store.Config) { c.Cache = "on" }},
		{name: "cached zipf 80/20", writes: 20, change: zipf, store: func(c *store.Config) { c.Cache = "on" }},
		{name: "unix socket read", server: func(c *config) { c.transport = "unix" }, raw: true},
		{name: "unix socket write", writes: 100, server: func(c *config) { c.transport = "unix" }, raw: true},
		{name: "AOF everysec read", server: func(c *config) { c.aof = true }, raw: true},
		{name: "AOF everysec write", writes: 100, server: func(c *config) { c.aof = true }, raw: true},
	}
}

// variantTurns slices of each variant are measured, next to the raw client under the same load.
const variantTurns = 25

func (s *session) variants(ctx context.Context) error {
	all := variants()
	own := map[string]*server{}
	defer func() {
		for _, srv := range own {
			_ = srv.close()
		}
	}()
	for i, v := range all {
		s.prog.show(float64(i)/float64(len(all)), 0, v.name)
		cfg := *s.cfg
		if v.change != nil {
			v.change(&cfg)
		}
		srv := s.servers[0]
		if v.server != nil {
			if srv.kind != "private" {
				continue
			}
			v.server(&cfg)
			name := cfg.transport + fmt.Sprint(cfg.aof)
			if own[name] == nil {
				sub := &session{cfg: &cfg, prog: s.prog, src: s.src, sum: &report.Summary{}}
				err := sub.load(ctx, s.cfg.keys[0])
				for _, other := range sub.servers {
					own[name] = other
				}
				if err != nil {
					return fmt.Errorf("%s: %w", v.name, err)
				}
			}
			srv = own[name]
		}
		if err := s.variant(ctx, &cfg, v, srv); err != nil {
			return err
		}
	}
	return nil
}

func (s *session) variant(ctx context.Context, cfg *config, v variant, srv *server) error {
	tables := srv.tables
	if v.store != nil {
		st, err := srv.openStore(ctx, v.store)
		if err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		defer st.Close(context.WithoutCancel(ctx))
		tables = trading.New(st)
	}
	w := workload{name: v.name, writes: v.writes}
	c, err := newCell(cfg, srv, w, ours, func(m target.Mix, slots int) load.Target { return target.NewNacre(tables, m, slots) })
	if err != nil {
		return err
	}
	cells := []*cell{c}
	if v.raw {
		control, err := newCell(cfg, srv, w, raw, func(m target.Mix, slots int) load.Target { return target.NewRaw(srv.raw, m, slots) })
		if err != nil {
			return err
		}
		cells = append(cells, control)
	}
	return s.side(ctx, cells, variantTurns)
}

// side measures cells that belong to no claim, in turn, and files them.
func (s *session) side(ctx context.Context, cells []*cell, turns int) error {
	was := s.cells
	defer func() { s.cells = was }()
	s.cells = cells
	for _, c := range cells {
		defer c.loop.close()
	}
	const warm = 3
	for n := range turns + warm {
		if err := s.turn(ctx, n); err != nil {
			return err
		}
		if n == warm-1 {
			for _, c := range cells {
				c.loop.collect()
			}
		}
	}
	lap := s.watch.Lap()
	for _, c := range cells {
		c.endWindow(0, 0, time.Since(s.begin), lap)
		c.total.Merge(c.round)
		c.finish()
		s.sum.Cells = append(s.sum.Cells, c.report)
		s.sides = append(s.sides, c)
	}
	return nil
}
