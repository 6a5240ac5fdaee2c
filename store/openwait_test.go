package store_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// loading is a server that reads its file for about a second, a key a
// millisecond.
func loading(t *testing.T) (srv *redistest.Server, done chan error) {
	t.Helper()
	srv = redistest.New(t, "--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024", "--rdbcompression", "no", "--appendonly", "no")
	_, err := srv.Do("EVAL", "for i = 1, 700 do redis.call('SET', i, ('x'):rep(2048)) end", "0")
	must(t, err)
	must(t, srv.Stop())
	done = make(chan error, 1)
	go func() { done <- srv.Restart() }()
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if _, err := srv.Do("GET", "1"); err != nil && strings.HasPrefix(err.Error(), "LOADING") {
			return srv, done
		}
	}
	t.Fatal("the server never said that it is loading")
	return
}

func TestOpenWait(t *testing.T) {
	t.Parallel()
	srv, done := loading(t)
	_, err := store.Open(t.Context(), at(srv.Port()))
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "LOADING") {
		t.Errorf("without open_wait: %v", err)
	}
	d := openOn(t, srv, func(c *store.Config) { c.OpenWait = 20 * time.Second })
	must(t, <-done)
	must(t, d.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
}

func TestOpenWaitForNobody(t *testing.T) {
	free, err := redistest.FreePort()
	must(t, err)
	cfg := with(at(free), func(c *store.Config) { c.OpenWait = 300 * time.Millisecond })
	start := time.Now()
	_, err = store.Open(t.Context(), cfg)
	if !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("%v", err)
	}
	if d := time.Since(start); d < 300*time.Millisecond || d > 3*time.Second {
		t.Errorf("it took %v with an open_wait of 300 ms", d)
	}
	// A server that comes up in time is found.
	cfg.OpenWait = 20 * time.Second
	started := make(chan error, 1)
	go func() {
		time.Sleep(200 * time.Millisecond)
		srv, err := redistest.Start(redistest.Options{Port: free})
		if err == nil {
			t.Cleanup(func() { _ = srv.Close() })
		}
		started <- err
	}()
	s, err := store.Open(t.Context(), cfg)
	must(t, err)
	closeStore(s)
	must(t, <-started)
}

// What no waiting mends is said at once, and a context that ends is the end.
func TestOpenWaitEnds(t *testing.T) {
	srv := redistest.Run(t, redistest.Options{Password: "right"})
	start := time.Now()
	_, err := store.Open(t.Context(), with(at(srv.Port()), func(c *store.Config) { c.OpenWait = time.Minute }))
	if !errors.Is(err, store.ErrRefused) {
		t.Errorf("%v", err)
	}
	free, err := redistest.FreePort()
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	_, err = store.Open(ctx, with(at(free), func(c *store.Config) { c.OpenWait = time.Minute }))
	if !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("%v", err)
	}
	if d := time.Since(start); d > 5*time.Second {
		t.Errorf("it took %v", d)
	}
}
