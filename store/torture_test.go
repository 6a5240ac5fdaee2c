package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/cache"
	"github.com/nacre-store/nacre/store/internal/faultproxy"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// A torture races readers and writers of two stores and of a raw client on the
// same rows, while their connections are killed, cut and frozen. Each row is a
// version that only grows, written by one writer at a time, and every answer of
// every reader is checked:
//
//   - no store ever gives a version below one that it has returned, or that it
//     has written and had acknowledged, before the call began;
//   - no answer is below a version that anybody had acknowledged more than
//     MaxAge before the call began.
type torture struct {
	t      testing.TB
	maxAge time.Duration
	srv    *redistest.Server
	raw    rueidis.Client
	stores []*tortured
	rows   []versions
	start  time.Time
	done   chan struct{}
	once   sync.Once
	failed atomic.Pointer[string]

	foreign, kills, cuts, freezes atomic.Int64
}

// versions is what is known of one row.
type versions struct {
	writing sync.Mutex
	last    int64     // given to a writer
	doubt   *tortured // whose last write has an unknown outcome: only it may go on
	mu      sync.Mutex
	acked   []ack        // younger than MaxAge
	aged    atomic.Int64 // acknowledged more than MaxAge ago
}

type ack struct{ version, at int64 }

const (
	hotRows  = 8
	coldRows = 1500
)

func startTorture(t testing.TB, m cache.Mutation, maxAge time.Duration) *torture {
	x := &torture{t: t, maxAge: maxAge, srv: redistest.New(t), rows: make([]versions, hotRows+coldRows), start: time.Now(), done: make(chan struct{})}
	raw, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{x.srv.Addr()}, DisableCache: true, ForceSingleClient: true})
	if err != nil {
		t.Fatal(err)
	}
	x.raw = raw
	t.Cleanup(raw.Close)
	defer store.Mutate(m)()
	for range 2 {
		p := faultproxy.Run(t, x.srv.Addr())
		d := openOn(t, x.srv, func(c *store.Config) { c.Database.Port, c.MaxAge = p.Port(), maxAge })
		x.stores = append(x.stores, &tortured{Tables: d.Tables, s: d.Store, proxy: p, floor: make([]atomic.Int64, len(x.rows))})
	}
	for k := range x.rows { // everything is listed from the start
		for s := x.stores[k%2]; s.floor[k].Load() == 0; {
			x.write(s, k)
		}
	}
	return x
}

func (x *torture) now() int64 { return int64(time.Since(x.start)) }

func (x *torture) over() bool {
	select {
	case <-x.done:
		return true
	default:
		return false
	}
}

func (x *torture) stop() { x.once.Do(func() { close(x.done) }) }

func (x *torture) fail(format string, args ...any) {
	s := fmt.Sprintf(format, args...)
	x.failed.CompareAndSwap(nil, &s)
	x.stop()
}

func (x *torture) pick(r *rand.Rand) int {
	if r.IntN(4) == 0 {
		return r.IntN(hotRows)
	}
	return hotRows + r.IntN(coldRows)
}

// read reads one row in one of several ways and checks it.
func (x *torture) read(s *tortured, r *rand.Rand) {
	k := x.pick(r)
	floor, aged := s.floor[k].Load(), x.rows[k].aged.Load()
	var v int64
	var err error
	ctx := context.Background()
	switch n := r.IntN(1000); {
	case n < 3:
		v, err = s.get(ctx, k, store.Strong)
	case n < 6:
		v, err = s.getMany(ctx, k)
	case n < 20:
		v, err = s.peek(k)
	case n < 22:
		v, err = s.update(ctx, k)
	case n < 30:
		v, err = s.get(ctx, k, store.MaxAge(x.maxAge/4))
	default:
		v, err = s.get(ctx, k)
	}
	s.ops.Add(1)
	if err == nil {
		x.check(s, k, v, floor, aged)
	} else if !errors.Is(err, store.ErrUnavailable) && !errors.Is(err, errNothing) {
		x.fail("row %d: %v", k, err)
	}
}

// glance reads what is near, again and again: it goes on where readers wait for
// a connection that is frozen.
func (x *torture) glance(s *tortured, r *rand.Rand) {
	n := int64(0)
	for range 1000 {
		k := x.pick(r)
		floor, aged := s.floor[k].Load(), x.rows[k].aged.Load()
		if v, err := s.peek(k); err == nil {
			n++
			x.check(s, k, v, floor, aged)
		}
	}
	s.ops.Add(n)
	pause(r, 500*time.Microsecond)
}

func (x *torture) check(s *tortured, k int, v, floor, aged int64) {
	if v < floor {
		x.fail("row %d: version %d, when this store had known %d before", k, v, floor)
	}
	if v < aged {
		x.fail("row %d: version %d, when %d had been acknowledged %v before", k, v, aged, x.maxAge)
	}
	s.raise(k, v)
}

// scan reads whole tables.
func (x *torture) scan(s *tortured) {
	floor, aged := make([]int64, len(x.rows)), make([]int64, len(x.rows))
	for k := range x.rows {
		floor[k], aged[k] = s.floor[k].Load(), x.rows[k].aged.Load()
	}
	seen := 0
	check := func(k int, v int64, err error) bool {
		if err != nil && !errors.Is(err, store.ErrUnavailable) {
			x.fail("scan: %v", err)
		}
		if err != nil {
			seen = 0
			return false
		}
		seen++
		x.check(s, k, v, floor[k], aged[k])
		s.ops.Add(1)
		// The row that was shown is not followed by an older hit.
		if got, err := s.peek(k); err == nil && got < v {
			x.fail("row %d: a hit of version %d after All had shown %d", k, got, v)
		}
		return true
	}
	for c, err := range s.Currencies.All(context.Background()) {
		if !check(number(string(c.CurrencyCode)), c.Precision, err) {
			break
		}
	}
	if seen != 0 && seen != len(x.rows)/2 {
		x.fail("All gave %d rows, want %d", seen, len(x.rows)/2)
	}
	for v, err := range s.Venues.All(context.Background()) {
		if !check(number(string(v.VenueCode)), int64(v.TsEvent), err) {
			break
		}
	}
}

// write writes the next version of a row through a store, in one of several
// ways.
func (x *torture) write(s *tortured, k int) {
	row := &x.rows[k]
	if !row.writing.TryLock() {
		return
	}
	defer row.writing.Unlock()
	if row.doubt != nil && row.doubt != s {
		return
	}
	row.last++
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	if rand.IntN(20) == 0 {
		ctx, cancel = context.WithTimeout(ctx, time.Duration(rand.IntN(int(time.Millisecond))))
		defer cancel()
	}
	err := s.put(ctx, k, row.last)
	switch {
	case err == nil:
		row.doubt = nil
		s.raise(k, row.last)
		x.acknowledged(k, row.last)
	case errors.Is(err, store.ErrUnknownOutcome), errors.Is(err, store.ErrConflict):
		row.doubt = s // it may be applied until s is acknowledged again
	case !errors.Is(err, store.ErrUnavailable):
		x.fail("write of row %d: %v", k, err)
	}
}

// writeRaw writes the next versions of some rows as a program without a store
// would.
func (x *torture) writeRaw(r *rand.Rand) {
	var cmds rueidis.Commands
	var ks []int
	for range 1 + r.IntN(10) {
		k := x.pick(r)
		row := &x.rows[k]
		if !row.writing.TryLock() {
			continue
		}
		if row.doubt != nil {
			row.writing.Unlock()
			continue
		}
		row.last++
		ks = append(ks, k)
		var raw []byte
		var key string
		if k%2 == 0 {
			c := currency(k, row.last)
			raw, _ = c.MarshalMsg(nil)
			key = "trader-currency:" + string(codes[k])
		} else {
			v := venue(k, row.last)
			raw, _ = v.MarshalMsg(nil)
			key = "trader-venue:" + string(names[k])
		}
		cmds = append(cmds, x.raw.B().Set().Key(key).Value(rueidis.BinaryString(raw)).Build())
	}
	for i, a := range x.raw.DoMulti(context.Background(), cmds...) {
		if err := a.Error(); err != nil {
			x.fail("raw write: %v", err)
		}
		x.foreign.Add(1)
		x.acknowledged(ks[i], x.rows[ks[i]].last)
	}
	for _, k := range ks {
		x.rows[k].writing.Unlock()
	}
}

func (x *torture) acknowledged(k int, v int64) {
	row := &x.rows[k]
	row.mu.Lock()
	row.acked = append(row.acked, ack{v, x.now()})
	row.mu.Unlock()
}

// age moves what was acknowledged more than MaxAge ago.
func (x *torture) age() {
	before := x.now() - int64(x.maxAge)
	for k := range x.rows {
		row := &x.rows[k]
		row.mu.Lock()
		n := 0
		for n < len(row.acked) && row.acked[n].at < before {
			row.aged.Store(row.acked[n].version)
			n++
		}
		row.acked = row.acked[:copy(row.acked, row.acked[n:])]
		row.mu.Unlock()
	}
}

func (x *torture) report() string {
	var ops, hits, lost int64
	for _, s := range x.stores {
		st := s.s.Stats()
		ops, hits, lost = ops+s.ops.Load(), hits+st.Cache.Hits, lost+st.Reconnects
	}
	return strings.TrimSpace(fmt.Sprintf("%d operations, %d hits, %d foreign writes, %d connections lost (%d kills, %d cuts), %d freezes, in %v",
		ops, hits, x.foreign.Load(), lost, x.kills.Load(), x.cuts.Load(), x.freezes.Load(), time.Since(x.start).Round(time.Second)))
}
