package main

import (
	"cmp"
	"context"
	"fmt"
	"time"

	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/bench/internal/report"
	"github.com/nacre-store/nacre/bench/internal/target"
	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
)

// A stage is measured beside the claims, after them.
type stage struct {
	name string
	run  func(context.Context) error
}

// besideTime is about what the stages of a standard run take.
const besideTime = 5 * time.Second

func (s *session) stages() []stage {
	switch {
	case s.cfg.profile == "quick":
		return nil
	case !s.cfg.extras:
		return []stage{{"buffered writes", s.variants}}
	}
	return []stage{{"other loads", s.variants}, {"peers", s.peers}, {"codecs", s.codecs}, {"rate sweep", s.sweep}}
}

func (s *session) beside(ctx context.Context) error {
	for i, st := range s.stages() {
		s.prog.step(5+i, s.steps, st.name)
		begin := time.Now()
		if err := st.run(ctx); err != nil {
			return err
		}
		s.prog.done("%-6s in %.0f s", st.name, time.Since(begin).Seconds())
	}
	return nil
}

// A variant is a load that no claim is made for.
type variant struct {
	workload
	change func(*config)
	server func(*config)       // Needs a server of its own.
	store  func(*store.Config) // Needs a store of its own.
	raw    bool                // The raw client has such a thing too.
	most   bool                // On the largest keyspace, not on the smallest.
	turns  int                 // Slices; 0 is variantTurns.
}

func (s *session) variantsOf() []variant {
	load := func(name string, writes int) workload { return workload{name: name, writes: writes} }
	// Slices longer than the buffer's interval, and few of them: each waits until the buffer is empty.
	long := func(c *config) { c.slice = 300 * time.Millisecond }
	buffered := variant{workload: workload{name: "buffered write", writes: 100, buffered: true}, change: long, turns: 8}
	if !s.cfg.extras {
		return []variant{buffered}
	}
	poisson := func(c *config) { c.arrival = "poisson" }
	zipf := func(c *config) { c.dist = "zipf" }
	closed := func(c *config) { c.loop = "closed" }
	double := func(c *config) { c.rate = 20_000 }
	near := func(c *store.Config) { c.Cache = "on" }
	unix := func(c *config) { c.transport = "unix" }
	aof := func(c *config) { c.aof = true }
	buffered.turns = 20
	all := []variant{
		{workload: load("20k/s read", 0), change: double, raw: true},
		{workload: load("20k/s write", 100), change: double, raw: true},
		{workload: load("20k/s mixed", 20), change: double, raw: true},
		buffered,
		{workload: load("closed read", 0), change: closed, raw: true},
		{workload: load("closed write", 100), change: closed, raw: true},
		{workload: load("poisson read", 0), change: poisson, raw: true},
		{workload: load("poisson write", 100), change: poisson, raw: true},
		{workload: load("zipf read", 0), change: zipf, raw: true},
		{workload: load("zipf write", 100), change: zipf, raw: true},
		{workload: load("mixed 80/20", 20), raw: true},
		{workload: load("cached zipf read", 0), change: zipf, store: near},
		{workload: load("cached zipf 80/20", 20), change: zipf, store: near},
		{workload: load("unix socket read", 0), server: unix, raw: true},
		{workload: load("unix socket write", 100), server: unix, raw: true},
		{workload: load("AOF everysec read", 0), server: aof, raw: true},
		{workload: load("AOF everysec write", 100), server: aof, raw: true},
	}
	if len(s.servers) > 1 {
		for _, v := range all[:4] {
			v.most = true
			all = append(all, v)
		}
	}
	return all
}

// variantTurns slices of each variant are measured, next to the raw client under the same load.
const variantTurns = 25

func (s *session) variants(ctx context.Context) error {
	all := s.variantsOf()
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
		if v.most {
			srv = s.servers[len(s.servers)-1]
		}
		if v.server != nil {
			if srv.kind != "private" {
				continue
			}
			v.server(&cfg)
			name := cfg.transport + fmt.Sprint(cfg.aof)
			if own[name] == nil {
				src, err := readSource(&cfg)
				if err != nil {
					return err
				}
				sub := &session{cfg: &cfg, prog: s.prog, src: src, sum: &report.Summary{}}
				err = sub.load(ctx, s.cfg.keys[0])
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
	turns := cmp.Or(v.turns, variantTurns)
	if v.buffered {
		c, err := newBuffered(ctx, cfg, srv, v.workload)
		if err != nil {
			return err
		}
		return s.side(ctx, cfg, []*cell{c}, turns)
	}
	tables := srv.tables
	if v.store != nil {
		st, err := srv.openStore(ctx, v.store)
		if err != nil {
			return fmt.Errorf("%s: %w", v.name, err)
		}
		defer st.Close(context.WithoutCancel(ctx))
		tables = trading.New(st)
	}
	c, err := newCell(cfg, srv, v.workload, ours, func(m target.Mix, slots int) load.Target { return target.NewNacre(tables, m, slots) })
	if err != nil {
		return err
	}
	cells := []*cell{c}
	if v.raw {
		control, err := newCell(cfg, srv, v.workload, raw, func(m target.Mix, slots int) load.Target { return target.NewRaw(srv.raw, m, slots) })
		if err != nil {
			return err
		}
		cells = append(cells, control)
	}
	return s.side(ctx, cfg, cells, turns)
}

// side measures cells that belong to no claim, in turn, and files them.
func (s *session) side(ctx context.Context, cfg *config, cells []*cell, turns int) error {
	was, slice := s.cells, s.cfg.slice
	defer func() { s.cells, s.cfg.slice = was, slice }()
	s.cells, s.cfg.slice = cells, cfg.slice
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
				c.spent = report.Spent{}
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
