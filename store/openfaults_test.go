package store_test

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// Stores are opened, and read from, while the server is killed and started
// again and again: all but one in a thousand succeed within the timeout, and
// each failure is a clear one.
func TestOpenWhileRestarting(t *testing.T) {
	opens, every := 300, 300*time.Millisecond
	if long() {
		opens, every = 10_000, 3*time.Second
	}
	srv := redistest.New(t)
	must(t, openOn(t, srv).Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
	var restarts atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(every):
			}
			srv.Kill()
			if err := srv.Restart(); err != nil {
				t.Error(err)
				return
			}
			restarts.Add(1)
		}
	}()
	cfg := at(srv.Port())
	cfg.Schemas, cfg.OpenWait, cfg.Logger = []store.Schema{trading.Schema}, 2*time.Second, slog.New(slog.DiscardHandler)
	failed, slowest := 0, time.Duration(0)
	for range opens {
		took, err := timed(func() error {
			s, err := store.Open(t.Context(), cfg)
			if err != nil {
				return err
			}
			defer closeStore(s)
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			_, err = trading.New(s).Positions.Get(ctx, "P-1")
			return err
		})
		slowest = max(slowest, took)
		if err != nil {
			failed++
			t.Log(err)
			if !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("not clear: %v", err)
			}
		}
	}
	close(stop)
	<-stopped
	t.Logf("%d of %d failed beside %d restarts, the slowest took %v", failed, opens, restarts.Load(), slowest)
	if failed > max(1, opens/1000) || restarts.Load() == 0 {
		t.Errorf("%d of %d failed beside %d restarts", failed, opens, restarts.Load())
	}
}
