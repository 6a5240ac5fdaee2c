// Package ahead reads long things in parts, the next ones while the consumer
// is busy with the current one.
package ahead

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
)

// readers is how many parts of a long read are under way at once: enough to
// keep Redis busy while others are decoded, few enough to bound the memory.
const readers = 4

// Parts yields the results of read for the parts of 0..n in order, while the
// next parts are under way; size says how long the next part may be. Before it
// returns, because all is done or because the consumer stops, every read has
// ended. When the context ends, read must return soon: its result is still
// yielded.
func Parts[T any](ctx context.Context, n int, size func() int, read func(ctx context.Context, from, to int) T) iter.Seq[T] {
	return func(yield func(T) bool) {
		if n <= size() {
			if n > 0 {
				yield(read(ctx, 0, n))
			}
			return
		}
		ctx, cancel := context.WithCancel(ctx)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		defer func() {
			close(stop)
			cancel()
			wg.Wait()
		}()

		results := make(chan chan T, readers) // in order, each to be filled once
		var mu sync.Mutex
		at := 0
		next := func() (from, to int, result chan T) {
			mu.Lock()
			defer mu.Unlock()
			if at == n {
				return 0, 0, nil
			}
			result = make(chan T, 1)
			select {
			case results <- result:
			case <-stop:
				return 0, 0, nil
			}
			from, at = at, min(n, at+size())
			if at == n {
				close(results)
			}
			return from, at, result
		}
		for range readers {
			wg.Go(func() {
				for {
					from, to, result := next()
					if result == nil {
						return
					}
					result <- read(ctx, from, to)
				}
			})
		}
		for result := range results {
			if !yield(<-result) {
				return
			}
		}
	}
}

// A Pace sizes the parts of one long read by what the earlier ones held, so
// that the memory is bounded whether the items are small or large.
type Pace struct {
	First, Max int // Items of the first parts, and of any.
	Bytes      int // Of a part, by the average of what was seen.

	items, bytes atomic.Int64
}

// Size returns how many items the next part may have.
func (p *Pace) Size() int {
	items, bytes := p.items.Load(), p.bytes.Load()
	if items == 0 {
		return p.First
	}
	return max(1, min(p.Max, int(int64(p.Bytes)*items/max(1, bytes))))
}

// Saw tells how much a part was.
func (p *Pace) Saw(items, bytes int) {
	p.bytes.Add(int64(bytes))
	p.items.Add(int64(items))
}
