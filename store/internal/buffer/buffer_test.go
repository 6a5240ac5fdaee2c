package buffer

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nacre-store/nacre/store/internal/write"
)

// bubble runs f with a buffer in front of a server, by a clock of its own.
func bubble(t *testing.T, change func(*Options), f func(t *testing.T, b *Buffer, tenant *Tenant, s *server)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		b := of(s, func(o *Options) {
			if change != nil {
				change(o)
			}
		})
		f(t, b, b.Tenant(), s)
		for _, err := range b.Close(t.Context()) {
			t.Errorf("Close: %v", err)
		}
		for _, what := range s.failed {
			t.Error(what)
		}
	})
}

func accept(t *testing.T, tenant *Tenant, ops ...*write.Op) {
	t.Helper()
	for _, op := range ops {
		if err := tenant.Accept(t.Context(), op); err != nil {
			t.Fatalf("%s: %v", op.ID, err)
		}
	}
}

func (s *server) count() (steps, sends int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.steps, s.sends
}

func wantRow(t *testing.T, s *server, id, want string) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	if got := s.rows["trader-order:"+id]; got != want {
		t.Errorf("%s = %q, want %q", id, got, want)
	}
}

func TestRowsCoalesceAndHistoryDoesNot(t *testing.T) {
	bubble(t, nil, func(t *testing.T, b *Buffer, tenant *Tenant, s *server) {
		for i := range 100 {
			accept(t, tenant, put("O-1", fmt.Sprint(i)), appended("O-2", fmt.Sprint(i), "events", int64(i+1), fmt.Sprint("E-", i)), tick("X", fmt.Sprint(i)))
		}
		if n, _ := s.count(); n != 0 {
			t.Errorf("%d steps before the interval", n)
		}
		time.Sleep(15 * time.Millisecond)
		synctest.Wait()
		wantRow(t, s, "O-1", "99")
		wantRow(t, s, "O-2", "99")
		if n := len(s.lists["trader-order.events:O-2"]); n != 100 {
			t.Errorf("%d events", n)
		}
		if n := len(s.lists["trader-tick:X"]); n != 100 {
			t.Errorf("%d ticks", n)
		}
		if n, _ := s.count(); n != 3 {
			t.Errorf("%d steps, want 3", n)
		}
		if st := b.Stats(); st.Accepted != 300 || st.Coalesced != 99 || st.Acked != 3 {
			t.Errorf("%+v", st)
		}
	})
}

// A deleted row that comes back does so in one step, and without its history.
func TestDeleteThenPut(t *testing.T) {
	bubble(t, nil, func(t *testing.T, b *Buffer, tenant *Tenant, s *server) {
		accept(t, tenant, appended("O-1", "old", "events", -1, "E-1"))
		if err := tenant.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		accept(t, tenant, appended("O-1", "older", "events", -1, "E-2"), del("O-1"), put("O-1", "new"), part(write.HashPut, "O-1", "fees", field("a", "1")))
		steps, _ := s.count()
		if err := tenant.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantRow(t, s, "O-1", "new")
		if l := s.lists["trader-order.events:O-1"]; l != nil || s.steps != steps+1 { // nothing is under way
			t.Errorf("history %v after %d steps", l, s.steps-steps)
		}
	})
}

// An append passes by a hash that waits, but not into a step that is under way.
func TestAppendsPassByHashes(t *testing.T) {
	bubble(t, nil, func(t *testing.T, b *Buffer, tenant *Tenant, s *server) {
		s.fault = func(n int) fault { return fault{delay: 50 * time.Millisecond} }
		fee := func(v string) *write.Op { return part(write.HashPut, "O-1", "fees", field("a", v)) }
		accept(t, tenant, appended("O-1", "1", "events", 1, "E-1"), fee("1"), appended("O-1", "2", "events", 2, "E-2"), fee("2"))
		time.Sleep(20 * time.Millisecond) // the first step is under way
		accept(t, tenant, appended("O-1", "3", "events", 3, "E-3"), fee("3"), appended("O-1", "4", "events", 4, "E-4"))
		if err := tenant.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantRow(t, s, "O-1", "4")
		if got := s.lists["trader-order.events:O-1"]; len(got) != 4 || s.hashes["trader-order.fees:O-1"]["a"] != "3" {
			t.Errorf("events %v, fees %v", got, s.hashes)
		}
		if s.steps != 4 {
			t.Errorf("%d steps, want 4", s.steps)
		}
	})
}

// A callback that is slow, and one that panics, hold up nobody.
func TestCallbacks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		n := 0
		b := of(s, func(o *Options) {
			o.OnError = func(err error) {
				if n++; n == 2 {
					panic("in the callback")
				}
				time.Sleep(time.Second)
			}
		})
		tenant := b.Tenant()
		for i := range 5 {
			accept(t, tenant, part(write.HashPut, fmt.Sprint(i), "fees", field("a", "1")))
		}
		start := time.Now()
		accept(t, tenant, put("O-1", "x"))
		if err := tenant.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d > 50*time.Millisecond {
			t.Errorf("the callback held up a drain for %v", d)
		}
		wantRow(t, s, "O-1", "x")
		errs := b.Close(t.Context())
		if len(errs) != 6 || !strings.Contains(errs[5].Error(), "in the callback") || n != 5 {
			t.Errorf("Close: %v; %d calls", errs, n)
		}
	})
}

func TestHold(t *testing.T) {
	bubble(t, nil, func(t *testing.T, b *Buffer, tenant *Tenant, s *server) {
		k := keyOf(put("O-1", ""))
		tenant.Hold([]Key{k}, 200*time.Millisecond)
		accept(t, tenant, put("O-1", "x"), put("O-2", "x"))
		time.Sleep(100 * time.Millisecond)
		wantRow(t, s, "O-1", "")
		wantRow(t, s, "O-2", "x")
		time.Sleep(150 * time.Millisecond)
		wantRow(t, s, "O-1", "x")
	})
}

// Many goroutines and tenants at once, for the race detector: the last row of
// each goroutine's own key is what stands there, and no event is missing.
func TestConcurrentUse(t *testing.T) {
	s := newServer()
	b := of(s, func(o *Options) { o.Interval, o.Entries = time.Millisecond, 50 })
	var wg sync.WaitGroup
	for g := range 8 {
		tenant := b.Tenant()
		wg.Go(func() {
			id := fmt.Sprint("O-", g)
			for i := range 300 {
				if err := tenant.Accept(t.Context(), put(id, fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
				if err := tenant.Accept(t.Context(), appended(id+"a", fmt.Sprint(i), "events", int64(i+1), fmt.Sprint(i))); err != nil {
					t.Error(err)
				}
				switch i % 50 {
				case 10:
					_ = tenant.Settle(t.Context(), keyOf(put(id, "")))
				case 20:
					_ = tenant.Drain(t.Context())
				case 30:
					b.Stats()
				}
			}
		})
	}
	wg.Wait()
	if errs := b.Close(t.Context()); errs != nil {
		t.Errorf("Close: %v", errs)
	}
	for g := range 8 {
		wantRow(t, s, fmt.Sprint("O-", g), "299")
		if n := len(s.lists[fmt.Sprintf("trader-order.events:O-%da", g)]); n != 300 {
			t.Errorf("%d events", n)
		}
	}
}

func BenchmarkAccept(b *testing.B) {
	buf := New(Options{Interval: time.Hour, Entries: 1 << 30, Bytes: 1 << 50, Send: newServer().send, Describe: func(_ *write.Op, err error) error { return err }})
	tenant := buf.Tenant()
	ids := make([]string, 1000)
	for i := range ids {
		ids[i] = fmt.Sprint("O-", i)
	}
	op := put("", strings.Repeat("x", 300))
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		op.ID = ids[i%len(ids)]
		_ = tenant.Accept(context.Background(), op)
	}
	b.StopTimer()
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	buf.Close(ctx)
}
