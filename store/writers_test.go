package store_test

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// Notes are a log that can be read while it is written.
type notes struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *notes) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *notes) count(text string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.b.String(), text)
}

// A second writer of a tenant is reported on both sides, a reader is not, and
// nobody flushes what another one works with.
func TestSecondWriter(t *testing.T) {
	t.Parallel()
	srv := redistest.New(t)
	ctx := t.Context()
	var first, second, reader notes
	to := func(l *notes) func(*store.Config) {
		return func(c *store.Config) { c.Logger = slog.New(slog.NewTextHandler(l, nil)) }
	}
	a := openOn(t, srv, to(&first))
	must(t, a.Positions.Put(ctx, position("P-1", trading.PositionSideLong)))
	waitFor(t, func() bool { return a.do(t, "ZCARD", "trader-nacre.writers") == "1" })

	r := openOn(t, srv, to(&reader))
	if _, err := r.Positions.Get(ctx, "P-1"); err != nil {
		t.Fatal(err)
	}
	other := openOn(t, srv, to(&reader), func(c *store.Config) { c.TraderID = "T-2" })
	must(t, other.Positions.Put(ctx, position("P-1", trading.PositionSideLong)))

	cfg := a.cfg
	cfg.FlushOnStart, cfg.Logger = true, slog.New(slog.DiscardHandler)
	host, _ := os.Hostname()
	if _, err := store.Open(ctx, cfg); !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), host) {
		t.Errorf("flush_on_start beside a writer: %v", err)
	}
	a.want(t, "1", "EXISTS", "trader-position:P-1")

	b := openOn(t, srv, to(&second), buffering(time.Millisecond))
	must(t, b.Positions.Put(ctx, position("P-2", trading.PositionSideLong)))
	const warning = "another process writes the same tenant"
	waitFor(t, func() bool { return second.count(warning) == 1 })
	if o := b.Stats().Others; len(o) != 1 || o[0].PID != os.Getpid() || o[0].Host != host || o[0].Tenant != "trader" || time.Since(o[0].Start) > time.Minute {
		t.Errorf("others: %v", o)
	}
	waitFor(t, func() bool { return first.count(warning) == 1 }) // when it says again that it is there
	must(t, b.Renew(ctx))
	if n := second.count(warning); n != 1 {
		t.Errorf("%d warnings of one writer", n)
	}
	if n := reader.count(warning); n != 0 {
		t.Errorf("%d warnings of somebody who writes nothing there", n)
	}

	must(t, b.Close(ctx))
	must(t, a.Close(ctx))
	b.want(t, "0", "EXISTS", "trader-nacre.writers")
	s, err := store.Open(ctx, cfg)
	must(t, err)
	if n, err := trading.New(s).Positions.Count(ctx); n != 0 || err != nil {
		t.Errorf("%d rows behind flush_on_start, %v", n, err)
	}
	must(t, s.Close(ctx))
}

// Who has died counts as living until its word is too old, and no longer.
func TestDeadWriter(t *testing.T) {
	d := open(t)
	says := func(ago time.Duration) {
		d.do(t, "ZADD", "trader-nacre.writers", fmt.Sprint(time.Now().Add(-ago).UnixMilli()), "x 77 2026-01-02T03:04:05Z elsewhere")
	}
	cfg := d.cfg
	cfg.FlushOnStart = true
	says(10 * time.Second)
	if _, err := store.Open(t.Context(), cfg); !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "process 77 on elsewhere, started 2026-01-02T03:04:05Z") {
		t.Errorf("flush_on_start beside a writer that was there 10 s ago: %v", err)
	}
	says(20 * time.Second)
	s, err := store.Open(t.Context(), cfg)
	must(t, err)
	must(t, s.Close(t.Context()))
}

func waitFor(t *testing.T, what func() bool) {
	t.Helper()
	for end := time.Now().Add(20 * time.Second); !what(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("it does not happen")
		}
	}
}
