package load

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Closed is a closed loop on one target: clients that each send a request when they have the answer to the last.
type Closed struct {
	target  Target
	samples []*Sample
	own     *Sample
	sum     *Sample // What Collect returns.
}

// NewClosed has as many clients as requests may be in flight; the target needs as many slots.
func NewClosed(t Target, clients int) *Closed {
	c := &Closed{target: t, own: NewSample(), sum: NewSample()}
	for range clients {
		c.samples = append(c.samples, NewSample())
	}
	return c
}

// Run lets the clients send for the duration.
func (c *Closed) Run(ctx context.Context, d time.Duration) error {
	if c.own.Begin.IsZero() {
		c.own.Begin = time.Now()
	}
	run, cancel := context.WithTimeoutCause(ctx, d+drain, errDrain)
	defer cancel()
	begin := now()
	end := begin + int64(d)
	var clients sync.WaitGroup
	for slot, s := range c.samples {
		clients.Go(func() {
			for now() < end && run.Err() == nil {
				c.one(run, slot, s)
			}
		})
	}
	clients.Wait()
	c.own.Elapsed += time.Duration(now() - begin)
	if run.Err() != nil {
		return context.Cause(run)
	}
	return nil
}

func (c *Closed) one(ctx context.Context, slot int, s *Sample) {
	kind := c.target.Prepare(slot)
	begin := now()
	err := c.target.Do(ctx, slot)
	s.record(s.Service[kind], now()-begin)
	s.Done++
	if err != nil {
		s.fail(err, false)
	} else if err := c.target.Check(slot); err != nil {
		s.fail(err, errors.Is(err, ErrMismatch))
	}
}

// Collect returns what the stretches since the last Collect gave; the next one takes its memory. No stretch may
// be under way.
func (c *Closed) Collect() *Sample { return c.sum.collect(append(c.samples, c.own)) }
