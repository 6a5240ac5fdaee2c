package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// fake answers after a time of its own choosing.
type fake struct {
	latency func(n int64) time.Duration
	done    atomic.Int64
	bad     func(n int64) error
	slots   [Slots]atomic.Int32
	t       *testing.T
}

func (f *fake) Prepare(slot int) Kind {
	if f.slots[slot].Swap(1) == 1 {
		f.t.Errorf("slot %d is prepared while its request is under way", slot)
	}
	return Kind(slot % 2)
}

func (f *fake) Do(ctx context.Context, slot int) error {
	n := f.done.Add(1)
	if d := f.latency(n); d > 0 {
		select {
		case <-time.After(d):
		case <-ctx.Done():
			f.slots[slot].Store(0)
			return ctx.Err()
		}
	}
	if f.slots[slot].Load() != 1 {
		f.t.Errorf("slot %d is done without being prepared", slot)
	}
	return nil
}

func (f *fake) Check(slot int) error {
	defer f.slots[slot].Store(0)
	if f.bad != nil {
		return f.bad(f.done.Load())
	}
	return nil
}

func instant(int64) time.Duration { return 0 }

func TestOpenSendsEveryRequestOnce(t *testing.T) {
	for _, a := range []Arrival{Fixed, Poisson} {
		f := &fake{latency: instant, t: t}
		o := NewOpen(f, 8, a, 1)
		for range 3 {
			if err := o.Run(t.Context(), 5000, 50*time.Millisecond); err != nil {
				t.Fatal(err)
			}
		}
		s := o.Collect()
		o.Close()
		if s.Planned != 750 || s.Done != 750 || f.done.Load() != 750 || s.Errors+s.Mismatch+s.Outside != 0 {
			t.Errorf("%s: planned %d, done %d, answered %d, errors %d (%v)", a, s.Planned, s.Done, f.done.Load(), s.Errors, s.First)
		}
		if n := s.Response[Read].TotalCount() + s.Response[Write].TotalCount(); n != 750 || s.Lag.TotalCount() != 750 {
			t.Errorf("%s: %d latencies and %d lags recorded, want 750", a, n, s.Lag.TotalCount())
		}
		if again := o.Collect(); again.Done != 0 || again.Response[Read].TotalCount() != 0 {
			t.Errorf("%s: Collect does not empty", a)
		}
	}
}

// A server that stalls once must show in the open loop's tail, with all requests that were due meanwhile, and
// hardly at all in the closed loop's: the reason for the open loop.
func TestOnlyTheOpenLoopSeesAStall(t *testing.T) {
	stall := func() func(int64) time.Duration {
		var until atomic.Int64
		return func(n int64) time.Duration {
			if n == 200 {
				until.Store(now() + int64(200*time.Millisecond))
			}
			return time.Duration(max(0, until.Load()-now()))
		}
	}
	o := NewOpen(&fake{latency: stall(), t: t}, 4, Fixed, 1)
	defer o.Close()
	if err := o.Run(t.Context(), 2000, time.Second); err != nil {
		t.Fatal(err)
	}
	slow := o.Slow()
	s := o.Collect()
	s.Response[Read].Merge(s.Response[Write])
	if want := s.Response[Read].TotalCount() / 10; slow < want || slow != s.Slow || o.Slow() != 0 {
		t.Errorf("%d responses count as slow, %d in the sample; the stall delayed more than %d; %d are left", slow, s.Slow, want, o.Slow())
	}
	if p99 := time.Duration(s.Response[Read].ValueAtQuantile(99)); p99 < 100*time.Millisecond {
		t.Errorf("open loop: p99 = %v, want the stall in it", p99)
	}
	c := NewClosed(&fake{latency: stall(), t: t}, 4)
	if err := c.Run(t.Context(), 500*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	s = c.Collect()
	s.Service[Read].Merge(s.Service[Write])
	if p99 := time.Duration(s.Service[Read].ValueAtQuantile(99)); p99 > 50*time.Millisecond {
		t.Errorf("closed loop: p99 = %v with %d requests, expected it to hide the stall", p99, s.Done)
	}
}

// More requests than slots: the ones that find no slot are late, none is skipped, and their latency counts from
// when they were due.
func TestOverloadIsLateNotSkipped(t *testing.T) {
	f := &fake{t: t, latency: func(int64) time.Duration { return 2 * time.Millisecond }}
	o := NewOpen(f, 2, Fixed, 1)
	defer o.Close()
	const rate = 20_000
	if err := o.Run(t.Context(), rate, 200*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	s := o.Collect()
	if s.Done != s.Planned || s.Late == 0 || s.Backlog < Slots/2 {
		t.Errorf("planned %d, done %d, late %d, backlog %d", s.Planned, s.Done, s.Late, s.Backlog)
	}
	if a := s.Achieved(rate); a > 0.5 {
		t.Errorf("achieved %.2f of a rate that two workers can't reach", a)
	}
	if p := time.Duration(s.Response[Read].ValueAtQuantile(50)); p < 500*time.Millisecond {
		t.Errorf("p50 = %v does not count from when requests were due", p)
	}
}

func TestErrorsAndMismatchesAreCounted(t *testing.T) {
	boom := errors.New("boom")
	f := &fake{latency: instant, t: t, bad: func(n int64) error {
		switch {
		case n%10 == 0:
			return fmt.Errorf("key k: %w", ErrMismatch)
		case n%10 == 5:
			return boom
		}
		return nil
	}}
	o := NewOpen(f, 1, Fixed, 1)
	defer o.Close()
	if err := o.Run(t.Context(), 5000, 20*time.Millisecond); err != nil {
		t.Fatal(err)
	}
	s := o.Collect()
	if s.Errors != 10 || s.Mismatch != 10 || !errors.Is(s.First, boom) {
		t.Errorf("errors %d, mismatches %d, first %v", s.Errors, s.Mismatch, s.First)
	}
}

func TestCancelEndsARunThatHangs(t *testing.T) {
	f := &fake{t: t, latency: func(int64) time.Duration { return time.Hour }}
	o := NewOpen(f, 2, Fixed, 1)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	err := o.Run(ctx, 1000, time.Second)
	o.Close()
	if err == nil || !errors.Is(err, context.DeadlineExceeded) && !strings.Contains(err.Error(), "without an answer") {
		t.Errorf("err = %v", err)
	}
}

func TestPoissonGaps(t *testing.T) {
	s := newSchedule(Poisson, 0, 1000, rand.New(rand.NewPCG(1, 2)))
	var last int64
	short := 0
	const n = 20_000
	for range n {
		at := s.next()
		if at-last < int64(time.Millisecond/10) {
			short++
		}
		last = at
	}
	if mean := float64(last) / n; mean < 0.97e6 || mean > 1.03e6 {
		t.Errorf("mean gap %.0f ns, want 1,000,000", mean)
	}
	// An exponential gap is below a tenth of its mean with 1 - exp(-0.1) = 9.5 %; a fixed gap never.
	if p := float64(short) / n; p < 0.085 || p > 0.105 {
		t.Errorf("%.3f of the gaps are short, want 0.095", p)
	}
	f := newSchedule(Fixed, 500, 1000, nil)
	if a, b := f.next(), f.next(); a != 500 || b != 1_000_500 {
		t.Errorf("fixed: %d, %d", a, b)
	}
}

// The pacer may be late on a busy machine, but Go's own timer would be a whole millisecond late always.
func TestPacerIsSharp(t *testing.T) {
	p := newPacer()
	defer p.close()
	best := time.Hour
	for range 50 {
		at := now() + int64(200*time.Microsecond)
		p.until(at)
		late := time.Duration(now() - at)
		if late < 0 {
			t.Fatalf("returned %v early", -late)
		}
		best = min(best, late)
	}
	if Pacing != "time.Sleep" && best > 300*time.Microsecond {
		t.Errorf("the best of 50 waits was %v late", best)
	}
}
