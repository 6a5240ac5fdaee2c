package buffer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nacre-store/nacre/store/internal/conn"
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

// What fails for good fails alone.
func TestFailures(t *testing.T) {
	var told []string
	change := func(o *Options) { o.OnError = func(err error) { told = append(told, err.Error()) } }
	bubble(t, change, func(t *testing.T, b *Buffer, tenant *Tenant, s *server) {
		accept(t, tenant,
			appended("O-1", "1", "events", 1, "E-1"), appended("O-1", "2", "events", 7, "E-2"), appended("O-1", "3", "events", 2, "E-3"), // 7 is no count
			del("O-2"), part(write.HashPut, "O-2", "fees", field("a", "1")), // of no row
			put("O-3", "fine"))
		if err := tenant.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		errs := tenant.TakeErrors()
		if len(errs) != 2 || !slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, write.ErrConflict) }) || !slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, write.ErrAbsent) }) {
			t.Errorf("errors %v", errs)
		}
		slices.Sort(told)
		if len(told) != 2 || !strings.HasPrefix(told[0], "O-1") || !strings.HasPrefix(told[1], "O-2") {
			t.Errorf("told %q", told)
		}
		wantRow(t, s, "O-1", "3")
		wantRow(t, s, "O-3", "fine")
		if st := b.Stats(); st.Failed != 2 || st.Entries != 0 {
			t.Errorf("%+v", st)
		}
	})
}

func TestBounds(t *testing.T) {
	fill := func(t *testing.T, tenant *Tenant) {
		for i := range 10 {
			accept(t, tenant, put(fmt.Sprint(i), "x"))
		}
	}
	down := func(s *server) {
		s.mu.Lock()
		s.fault = func(int) fault { return fault{err: errDial} }
		s.mu.Unlock()
	}
	up := func(s *server) {
		s.mu.Lock()
		s.fault = nil
		s.mu.Unlock()
	}
	with := func(full Full) func(*Options) {
		return func(o *Options) { o.Entries, o.Full = 10, full }
	}
	bubble(t, with(Fail), func(t *testing.T, b *Buffer, tenant *Tenant, s *server) {
		down(s)
		fill(t, tenant)
		if err := tenant.Accept(t.Context(), put("new", "y")); !errors.Is(err, ErrFull) {
			t.Errorf("fail: %v", err)
		}
		accept(t, tenant, put("3", "y")) // takes the place of the older one
		up(s)
	})
	bubble(t, with(Direct), func(t *testing.T, b *Buffer, tenant *Tenant, s *server) {
		down(s)
		fill(t, tenant)
		if err := tenant.Accept(t.Context(), put("new", "y")); !errors.Is(err, ErrDirect) {
			t.Errorf("direct: %v", err)
		}
		up(s)
	})
	bubble(t, with(Block), func(t *testing.T, b *Buffer, tenant *Tenant, s *server) {
		down(s)
		fill(t, tenant)
		start := time.Now()
		if err := tenant.Accept(t.Context(), put("new", "y")); !errors.Is(err, ErrFull) || time.Since(start) != time.Second {
			t.Errorf("block: %v after %v", err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		if err := tenant.Accept(ctx, put("new", "y")); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("block with a deadline: %v", err)
		}
		time.AfterFunc(300*time.Millisecond, func() { up(s) })
		start = time.Now()
		if err := tenant.Accept(t.Context(), put("new", "y")); err != nil || time.Since(start) < 300*time.Millisecond || time.Since(start) > 600*time.Millisecond {
			t.Errorf("block until there is room: %v after %v", err, time.Since(start))
		}
	})
	bubble(t, func(o *Options) { o.Bytes = 5000 }, func(t *testing.T, b *Buffer, tenant *Tenant, s *server) {
		if err := tenant.Accept(t.Context(), put("big", strings.Repeat("x", 5000))); !errors.Is(err, ErrTooLarge) {
			t.Errorf("too large: %v", err)
		}
		down(s)
		o := 0
		for ; o < 100; o++ {
			ctx, cancel := context.WithTimeout(t.Context(), time.Millisecond)
			err := tenant.Accept(ctx, put(fmt.Sprint(o), "xxxxxxxx"))
			cancel()
			if err != nil {
				break
			}
		}
		if b.Stats().Bytes > 5000 || o < 5 || o > 9 {
			t.Errorf("%d rows in %d bytes", o, b.Stats().Bytes)
		}
		up(s)
	})
}

// A minute without a server, with a writer all the time, stays
// within the bound, asks seldom, and loses nothing.
func TestOutage(t *testing.T) {
	change := func(o *Options) { o.Entries, o.Bytes, o.Interval = 5000, 8<<20, 100*time.Millisecond }
	bubble(t, change, func(t *testing.T, b *Buffer, tenant *Tenant, s *server) {
		s.fault = func(int) fault { return fault{err: errDial} }
		row := strings.Repeat("x", 300)
		const keys = 4000
		all := 60_000
		if os.Getenv("NACRE_LONG") != "" {
			all = 600_000
		}
		for i := range all {
			if i%(all/600) == 0 {
				time.Sleep(100 * time.Millisecond)
				if st := b.Stats(); st.Entries > 5000 || st.Bytes > 8<<20 {
					t.Fatalf("%+v", st)
				}
			}
			accept(t, tenant, put(fmt.Sprint("O-", i%keys), row+fmt.Sprint(i)))
		}
		if age := b.Stats().Oldest; age < 59*time.Second {
			t.Errorf("the oldest is %v old", age)
		}
		if _, n := s.count(); n > 60*10 {
			t.Errorf("%d tries in a minute", n)
		}
		s.mu.Lock()
		s.fault = nil
		s.mu.Unlock()
		start := time.Now()
		if err := tenant.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		if d := time.Since(start); d > 300*time.Millisecond {
			t.Errorf("resumed and drained after %v", d)
		}
		for i := all - keys; i < all; i++ {
			wantRow(t, s, fmt.Sprint("O-", i%keys), row+fmt.Sprint(i))
		}
	})
}

// A server that refuses the password is asked a few times a second, and
// everything is kept.
func TestDeniedAtTheDoor(t *testing.T) {
	bubble(t, nil, func(t *testing.T, b *Buffer, tenant *Tenant, s *server) {
		s.fault = func(int) fault { return fault{err: conn.Denial("WRONGPASS invalid username-password pair")} }
		accept(t, tenant, put("O-1", "x"))
		time.Sleep(10 * time.Second)
		s.mu.Lock()
		if s.sends > 100 || s.sends < 10 {
			t.Errorf("%d tries in 10 s", s.sends)
		}
		s.fault = nil
		s.mu.Unlock()
		if err := tenant.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		wantRow(t, s, "O-1", "x")
	})
}

// A step that breaks every connection on which it is sent is found and given
// up, and the others go on.
func TestPoison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		var told []error
		b := of(s, func(o *Options) {
			o.OnError = func(err error) { told = append(told, err) }
			send := o.Send
			o.Send = func(ctx context.Context, steps []write.Batch) [][]write.Result {
				at := slices.IndexFunc(steps, func(b write.Batch) bool { return b.Ops[0].ID == "poison" })
				s.mu.Lock()
				s.fault = func(int) fault { return fault{} }
				if at >= 0 {
					s.fault = func(int) fault { return fault{err: errReset, applied: at} }
				}
				s.mu.Unlock()
				return send(ctx, steps)
			}
		})
		tenant := b.Tenant()
		accept(t, tenant, put("poison", "x"))
		for i := range 1000 {
			accept(t, tenant, put(fmt.Sprint(i), fmt.Sprint(i)))
		}
		start := time.Now()
		for i := range 100 { // life goes on
			time.Sleep(20 * time.Millisecond)
			accept(t, tenant, put(fmt.Sprint("later", i), "x"))
		}
		synctest.Wait()
		if len(told) != 1 || !strings.HasPrefix(told[0].Error(), "poison") || conn.Classify(told[0]) != conn.Unknown {
			t.Errorf("told %v after %v", told, time.Since(start))
		}
		for i := range 1000 {
			wantRow(t, s, fmt.Sprint(i), fmt.Sprint(i))
		}
		if errs := b.Close(t.Context()); len(errs) != 1 {
			t.Errorf("Close: %v", errs)
		}
		wantRow(t, s, "later99", "x")
	})
}

// Close gives up at its deadline and says of every write what became of it.
func TestCloseNamesWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		told := 0
		b := of(s, func(o *Options) { o.OnError = func(error) { told++ } })
		tenant := b.Tenant()
		s.fault = func(n int) fault {
			if n == 1 {
				return fault{delay: 20 * time.Millisecond, err: errReset, applied: 1}
			}
			return fault{err: errDial}
		}
		accept(t, tenant, put("sent", "x"))
		time.Sleep(15 * time.Millisecond)
		accept(t, tenant, put("never", "x"))
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		start := time.Now()
		errs := b.Close(ctx)
		if d := time.Since(start); d != 500*time.Millisecond {
			t.Errorf("Close took %v", d)
		}
		if len(errs) != 2 || told != 2 {
			t.Fatalf("Close: %v; told %d", errs, told)
		}
		for _, err := range errs {
			want := conn.NotApplied
			if strings.HasPrefix(err.Error(), "sent") {
				want = conn.Unknown
			}
			if conn.Classify(err) != want {
				t.Errorf("%v is of class %d, want %d", err, conn.Classify(err), want)
			}
		}
		if err := tenant.Accept(t.Context(), put("O-1", "x")); !errors.Is(err, ErrClosed) {
			t.Errorf("Accept after Close: %v", err)
		}
		if errs := b.Close(ctx); errs != nil {
			t.Errorf("Close again: %v", errs)
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
