package load

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"
)

// Slots is the number of slots that a [Target] must have for an [Open].
const Slots = batches * batchSize

// Batches are small, so that preparing one never keeps a core for long, and few: what they hold is decoded rows,
// which the collector marks on the processors that are measured.
const (
	batches   = 32
	batchSize = 16
)

// slow is from where on a response is counted as slow.
const slow = int64(time.Millisecond)

// drain is how long after its last request is due a stretch may take; longer means that the server is gone.
const drain = 5 * time.Second

// An Open is an open loop on one target: workers that wait for requests which are due. It is reused from
// stretch to stretch, so that no goroutine is new when the clock runs.
type Open struct {
	target  Target
	arrival Arrival
	rng     *rand.Rand
	own     *Sample // What the dispatcher records.
	sum     *Sample // What Collect returns.
	current int     // The batch being handed over, and the place in it.
	at      int
	jobs    chan job
	samples []*Sample // One a worker.
	ctx     atomic.Pointer[context.Context]
	done    sync.WaitGroup
	waiting atomic.Int64
	batch   [batches]batch
	free    chan int // Batches that nobody uses.
	ready   chan int // Batches that are prepared.
	stop    chan struct{}
}

type job struct {
	slot int
	due  int64
}

type batch struct {
	kinds [batchSize]Kind
	left  atomic.Int32 // Requests of the batch that are not done.
}

// NewOpen starts the workers: as many as requests may be in flight.
func NewOpen(t Target, inFlight int, a Arrival, seed uint64) *Open {
	o := &Open{
		target: t, arrival: a, rng: rand.New(rand.NewPCG(seed, 0x61727269)),
		own: NewSample(), sum: NewSample(), at: batchSize,
		jobs: make(chan job, Slots), free: make(chan int, batches), ready: make(chan int, batches),
		stop: make(chan struct{}),
	}
	for i := range batches {
		o.free <- i
	}
	for range inFlight {
		s := NewSample()
		o.samples = append(o.samples, s)
		o.done.Add(1)
		go o.work(s)
	}
	o.done.Add(1)
	go o.prepare()
	return o
}

// Close ends the workers.
func (o *Open) Close() {
	close(o.stop)
	close(o.jobs)
	o.done.Wait()
}

func (o *Open) prepare() {
	defer o.done.Done()
	for {
		var i int
		select {
		case i = <-o.free:
		case <-o.stop:
			return
		}
		b := &o.batch[i]
		for j := range b.kinds {
			b.kinds[j] = o.target.Prepare(i*batchSize + j)
		}
		b.left.Store(batchSize)
		select {
		case o.ready <- i:
		case <-o.stop:
			return
		}
	}
}

func (o *Open) work(s *Sample) {
	defer o.done.Done()
	for j := range o.jobs {
		b := &o.batch[j.slot/batchSize]
		kind := b.kinds[j.slot%batchSize]
		begin := now()
		err := o.target.Do(*o.ctx.Load(), j.slot)
		end := now()
		s.record(s.Response[kind], end-j.due)
		if end-j.due >= slow {
			s.Slow++
		}
		s.record(s.Service[kind], end-begin)
		s.Done++
		if err != nil {
			s.fail(err, false)
		} else if err := o.target.Check(j.slot); err != nil {
			s.fail(err, errors.Is(err, ErrMismatch))
		}
		if b.left.Add(-1) == 0 {
			o.free <- j.slot / batchSize
		}
		o.waiting.Add(-1)
	}
}

// Run sends at the rate for the duration and returns when every request is done. Its error says that the
// requests did not come back; errors of single requests are in the sample that Collect returns.
func (o *Open) Run(ctx context.Context, rate float64, d time.Duration) error {
	run, cancel := context.WithTimeoutCause(ctx, d+drain, errDrain)
	defer cancel()
	o.ctx.Store(&run)
	p := newPacer()
	defer p.close()
	if o.own.Begin.IsZero() {
		o.own.Begin = time.Now()
	}
	begin := now()
	if err := o.dispatch(run, p, begin, rate, d); err != nil {
		return err
	}
	for o.waiting.Load() > 0 {
		if run.Err() != nil {
			return fmt.Errorf("%d requests are without an answer: %w", o.waiting.Load(), context.Cause(run))
		}
		p.until(now() + int64(100*time.Microsecond))
	}
	o.own.Elapsed += max(d, time.Duration(now()-begin)-tail)
	o.own.Planned += int64(rate * d.Seconds())
	return nil
}

// tail is how long the last answers may take before the stretch counts as longer than planned.
const tail = 10 * time.Millisecond

var errDrain = fmt.Errorf("none within %v", drain)

// dispatch hands over each request when it is due. A request for which no slot is free is handed over
// late, never skipped, and counts from when it was due.
func (o *Open) dispatch(ctx context.Context, p pacer, begin int64, rate float64, d time.Duration) error {
	lead := int64(200 * time.Microsecond)
	s := newSchedule(o.arrival, begin+lead, rate, o.rng)
	for range int64(rate * d.Seconds()) {
		due := s.next()
		p.until(due)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if o.at == batchSize {
			select {
			case o.current = <-o.ready:
			default:
				o.own.Late++
				select {
				case o.current = <-o.ready:
				case <-ctx.Done():
					return fmt.Errorf("%d requests are without an answer: %w", o.waiting.Load(), context.Cause(ctx))
				}
			}
			o.at = 0
		}
		o.own.Backlog = max(o.own.Backlog, o.waiting.Add(1))
		o.own.record(o.own.Lag, now()-due)
		o.jobs <- job{o.current*batchSize + o.at, due}
		o.at++
	}
	return ctx.Err()
}

// Slow counts the responses of a millisecond or more since the last Collect. No stretch may be under way.
func (o *Open) Slow() (n int64) {
	for _, s := range o.samples {
		n += s.Slow
	}
	return n
}

// Collect returns what the stretches since the last Collect gave; the next one takes its memory. No stretch may
// be under way.
func (o *Open) Collect() *Sample { return o.sum.collect(append(o.samples, o.own)) }
