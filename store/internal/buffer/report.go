package buffer

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"sync"
	"time"

	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/internal/write"
)

// maxErrors is how many failures a tenant keeps for its next Flush.
const maxErrors = 1000

// fail notes that a step will not be sent any more.
func (b *Buffer) fail(t *Tenant, op *write.Op, err error) {
	b.counts.Failed++
	err = b.o.Describe(op, err)
	if len(t.errs) < maxErrors {
		t.errs = append(t.errs, err)
	} else {
		t.more++
	}
	b.reports.report(err)
}

// giveUp is fail for what is left at the end.
func (b *Buffer) giveUp(t *Tenant, q *queue, g *gen, cause error) {
	err := g.err
	switch {
	case err == nil && cause != nil:
		err = conn.NotSent(cause)
	case err == nil:
		err = conn.NotSent(ErrClosed)
	}
	if g.unknown > 0 {
		err = conn.MaybeSent(err)
	} else if conn.Classify(err) != conn.NotApplied {
		err = conn.NotSent(err)
	}
	b.fail(t, &g.ops[len(g.ops)-1], err)
}

// TakeErrors returns the failures since it was called last.
func (t *Tenant) TakeErrors() []error {
	t.b.mu.Lock()
	defer t.b.mu.Unlock()
	return t.takeErrors()
}

func (t *Tenant) takeErrors() []error {
	errs := t.errs
	if t.more > 0 {
		errs = append(errs, fmt.Errorf("and %d more", t.more))
	}
	t.errs, t.more = nil, 0
	return errs
}

// maxReports is how many failures wait for a callback that is slower than they
// come.
const maxReports = 10_000

// A reporter tells a callback what failed, in order and on a goroutine of its
// own, which exists as long as there is something to tell.
type reporter struct {
	to  func(error)
	log *slog.Logger

	mu       sync.Mutex
	waiting  []error
	left     int // not told
	running  chan struct{}
	panicked []error
}

func (r *reporter) report(err error) {
	if r.to == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.waiting) == maxReports {
		r.left++
		return
	}
	r.waiting = append(r.waiting, err)
	if r.running == nil {
		r.running = make(chan struct{})
		go r.run(r.running)
	}
}

func (r *reporter) run(done chan struct{}) {
	defer close(done)
	for {
		r.mu.Lock()
		if len(r.waiting) == 0 {
			r.running = nil
			if r.left > 0 {
				r.log.Error("OnError is too slow to be told of every failed write", "left out", r.left)
				r.left = 0
			}
			r.mu.Unlock()
			return
		}
		err := r.waiting[0]
		r.waiting = r.waiting[1:]
		r.mu.Unlock()
		r.tell(err)
	}
}

func (r *reporter) tell(err error) {
	defer func() {
		if p := recover(); p != nil {
			r.log.Error("OnError panicked", "panic", p, "stack", string(debug.Stack()))
			r.mu.Lock()
			r.panicked = append(r.panicked, fmt.Errorf("OnError panicked: %v", p))
			r.mu.Unlock()
		}
	}()
	r.to(err)
}

// tellFor is how long a callback may take when the context is over already.
const tellFor = 100 * time.Millisecond

// wait waits for the callback and returns its panics.
func (r *reporter) wait(ctx context.Context) []error {
	r.mu.Lock()
	running := r.running
	r.mu.Unlock()
	if running != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), max(tellFor, untilDone(ctx)))
		defer cancel()
		select {
		case <-running:
		case <-ctx.Done():
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	errs := r.panicked
	r.panicked = nil
	return errs
}

// untilDone is how much time the context leaves.
func untilDone(ctx context.Context) time.Duration {
	if ctx.Err() != nil {
		return 0
	}
	if end, ok := ctx.Deadline(); ok {
		return time.Until(end)
	}
	return time.Hour
}
