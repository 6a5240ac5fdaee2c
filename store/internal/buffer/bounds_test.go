package buffer

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nacre-store/nacre/store/internal/conn"
)

func TestBounds(t *testing.T) {
	fill := func(t *testing.T, tenant *Tenant) {
		for i := range 10 {
			accept(t, tenant, put(fmt.Sprint(i), "x"))
		}
		synctest.Wait() // a row on its way has no newer one take its place
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
