package store

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/nacre-store/nacre/store/internal/conn"
)

// heartbeat asks Redis for signs of life while the store is open. Without them
// nothing in the cache is believed. It also keeps the server's clock known.
type heartbeat struct {
	cancel context.CancelFunc
	done   sync.WaitGroup
}

func (h *heartbeat) stop() {
	if h.cancel != nil {
		h.cancel()
		h.done.Wait()
	}
}

// beatsPerAge is how many signs of life fall into the maximal age of a row.
const beatsPerAge = 5

// startBeat takes the first sign of life and starts to wait for others.
func (sh *shared) startBeat(ctx context.Context) {
	every := sh.cfg.maxAge() / beatsPerAge
	if err := sh.takeBeat(ctx, every); conn.Classify(err) == conn.Refused && !errors.Is(err, conn.ErrNotMaster) && sh.cache != nil {
		sh.giveUp(err.Error())
	}
	ctx, sh.beat.cancel = context.WithCancel(context.WithoutCancel(ctx))
	sh.beat.done.Go(func() {
		t := time.NewTimer(every)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			next := every
			if err := sh.takeBeat(ctx, every); err != nil {
				next = min(every, 100*time.Millisecond)
			}
			t.Reset(next)
		}
	})
}

// takeBeat asks for one sign of life.
func (sh *shared) takeBeat(ctx context.Context, every time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, max(2*every, 100*time.Millisecond))
	defer cancel()
	c := sh.cache
	at := int64(0)
	if c != nil {
		at = c.Now()
	}
	err := sh.conn.Beat(ctx)
	off := sh.conn.Fence().Off
	switch {
	case c == nil:
	case err == nil && off == "":
		c.Heard(at)
	case off != "", errors.Is(err, conn.ErrNotMaster), conn.Classify(err) == conn.Refused:
		c.Silence()
		c.Lost()
	}
	return err
}
