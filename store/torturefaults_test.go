package store_test

import (
	"context"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/store/internal/cache"
	"github.com/nacre-store/nacre/store/internal/faultproxy"
)

// run races everything until stop, which the given function decides.
func (x *torture) run(enough func() bool) {
	var wg, watchers sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	var seen []*sight
	for _, s := range x.stores {
		for _, table := range []func(context.Context, *sight){x.followCurrencies(s), x.followVenues(s)} {
			v := &sight{rows: map[int]int64{}}
			seen = append(seen, v)
			watchers.Go(func() { table(ctx, v) })
		}
	}
	loop := func(f func(r *rand.Rand)) {
		seed := rand.Uint64()
		wg.Go(func() {
			for r := rand.New(rand.NewPCG(seed, 0)); !x.over(); {
				f(r)
			}
		})
	}
	for _, s := range x.stores {
		for range 4 {
			loop(func(r *rand.Rand) { x.read(s, r) })
		}
		loop(func(r *rand.Rand) { x.glance(s, r) })
		for range 2 {
			loop(func(r *rand.Rand) { x.write(s, x.pick(r)); pause(r, time.Millisecond) })
		}
		loop(func(r *rand.Rand) { x.scan(s); pause(r, 20*time.Millisecond) })
		loop(func(r *rand.Rand) { x.fault(s, r) })
	}
	for range 2 {
		loop(func(r *rand.Rand) { x.writeRaw(r); pause(r, 200*time.Microsecond) })
	}
	wg.Go(func() {
		for !x.over() {
			x.age()
			if enough() {
				x.stop()
			}
			time.Sleep(time.Millisecond)
		}
	})
	wg.Wait()
	for _, s := range x.stores {
		s.proxy.CutAfter(faultproxy.Up, -1)
		s.proxy.CutAfter(faultproxy.Down, -1)
		s.proxy.Thaw()
	}
	if x.failed.Load() == nil {
		x.agree(seen)
	}
	cancel()
	watchers.Wait()
}

func pause(r *rand.Rand, d time.Duration) { time.Sleep(time.Duration(r.Int64N(int64(d)))) }

// fault breaks the connection of one store in a random way.
func (x *torture) fault(s *tortured, r *rand.Rand) {
	x.wait(time.Duration(r.Int64N(int64(2 * x.maxAge))))
	switch r.IntN(5) {
	case 0, 1:
		x.kill(s)
	case 2:
		s.proxy.Cut()
		x.cuts.Add(1)
	case 3:
		s.proxy.CutAfter(faultproxy.Direction(r.IntN(2)), r.IntN(4000))
		x.cuts.Add(1)
	case 4:
		ds := [][]faultproxy.Direction{nil, {faultproxy.Up}, {faultproxy.Down}}[r.IntN(3)]
		s.proxy.Freeze(ds...)
		x.wait(time.Duration(r.Int64N(int64(3 * x.maxAge))))
		s.proxy.Thaw()
		x.freezes.Add(1)
	}
}

// kill makes the server close the connections that track, but one at a time:
// the other store must not be in step.
func (x *torture) kill(*tortured) {
	list, err := x.srv.Do("CLIENT", "LIST")
	if err != nil {
		return
	}
	var ids []string
	for line := range strings.Lines(list) {
		if _, flags, _ := strings.Cut(line, " flags="); strings.Contains(strings.SplitN(flags, " ", 2)[0], "t") {
			id, _, _ := strings.Cut(strings.TrimPrefix(line, "id="), " ")
			ids = append(ids, id)
		}
	}
	if len(ids) > 0 {
		_, _ = x.srv.Do("CLIENT", "KILL", "ID", ids[rand.IntN(len(ids))])
		x.kills.Add(1)
	}
}

// wait ends early when the torture is over.
func (x *torture) wait(d time.Duration) {
	select {
	case <-x.done:
	case <-time.After(d):
	}
}

const tortureMaxAge = 150 * time.Millisecond

// The short form takes a few seconds. The long form (NACRE_LONG) goes on to
// 100 M operations, 1 M foreign writes and 400 lost connections; with the race
// detector, for two minutes.
func TestTorture(t *testing.T) {
	x := startTorture(t, cache.Whole, tortureMaxAge)
	x.run(func() bool {
		if !long() {
			return time.Since(x.start) > 3*time.Second
		}
		if raced {
			return time.Since(x.start) > 2*time.Minute
		}
		var ops, lost int64
		for _, s := range x.stores {
			ops, lost = ops+s.ops.Load(), lost+s.s.Stats().Reconnects
		}
		return ops >= 100e6 && lost >= 400 && x.foreign.Load() >= 1e6
	})
	t.Log(x.report())
	if f := x.failed.Load(); f != nil {
		t.Error(*f)
	}
	for _, s := range x.stores {
		if st := s.s.Stats(); st.Cache.Hits == 0 || st.Reconnects == 0 {
			t.Errorf("this proves nothing: %+v", st)
		}
		if n := s.s.Flights(); n != 0 {
			t.Errorf("%d rows are under way for ever", n)
		}
	}
}

// Each part of the algorithm is needed, and the torture would show it.
func TestTortureNoticesMutations(t *testing.T) {
	for name, m := range map[string]cache.Mutation{"no token": cache.NoToken, "no epoch": cache.NoEpoch, "no proof of life": cache.NoProofOfLife} {
		t.Run(name, func(t *testing.T) {
			x := startTorture(t, m, tortureMaxAge)
			// The first violation ends it, on a quiet machine within seconds.
			x.run(func() bool { return time.Since(x.start) > 2*time.Minute })
			t.Log(x.report())
			if f := x.failed.Load(); f == nil {
				t.Error("nothing was noticed")
			} else {
				t.Log(*f)
			}
		})
	}
}
