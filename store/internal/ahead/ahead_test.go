package ahead

import (
	"context"
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type span struct{ from, to int }

func TestPartsAreCompleteAndInOrder(t *testing.T) {
	for _, n := range []int{0, 1, 9, 10, 11, 1000} {
		at := 0
		for p := range Parts(t.Context(), n, func() int { return 10 }, func(_ context.Context, from, to int) span {
			time.Sleep(time.Duration((from*7)%5) * 100 * time.Microsecond) // late parts are ready first
			return span{from, to}
		}) {
			if p.from != at || p.to <= p.from || p.to > min(n, at+10) {
				t.Fatalf("n = %d: part %v at %d", n, p, at)
			}
			at = p.to
		}
		if at != n {
			t.Errorf("n = %d: the parts end at %d", n, at)
		}
	}
}

// Parts are read while the consumer is busy, and not without bound.
func TestPartsAreReadAhead(t *testing.T) {
	var done atomic.Int64
	for p := range Parts(t.Context(), 1000, func() int { return 1 }, func(_ context.Context, from, _ int) int {
		done.Add(1)
		return from
	}) {
		if p == 0 {
			end := time.Now().Add(5 * time.Second)
			for done.Load() < 2 && time.Now().Before(end) {
				runtime.Gosched()
			}
			time.Sleep(20 * time.Millisecond)
			if n := done.Load(); n < 2 || n > 2*readers+1 {
				t.Errorf("%d parts were read beside the first one", n)
			}
		}
	}
}

// A consumer that stops ends the reads that are under way and leaves nothing.
func TestStopping(t *testing.T) {
	for stop := range 12 {
		var under atomic.Int64
		n := 0
		func() {
			defer func() {
				if r := recover(); (r != nil) != (stop%2 == 1) {
					t.Errorf("stop at %d: %v", stop, r)
				}
			}()
			for range Parts(t.Context(), 100, func() int { return 1 }, func(ctx context.Context, from, _ int) int {
				under.Add(1)
				defer under.Add(-1)
				if from > stop {
					<-ctx.Done()
				}
				return from
			}) {
				if n++; n > stop {
					if stop%2 == 1 {
						panic("as a caller may")
					}
					break
				}
			}
		}()
		if n := under.Load(); n != 0 {
			t.Errorf("stop at %d: %d reads under way", stop, n)
		}
		goleak.VerifyNone(t)
	}
}

// When the context ends, what read makes of it is yielded.
func TestContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var last error
	for err := range Parts(ctx, 100, func() int { return 1 }, func(ctx context.Context, from, _ int) error {
		if from > 10 {
			<-ctx.Done()
		}
		return ctx.Err()
	}) {
		if last = err; err != nil {
			break
		}
		time.AfterFunc(time.Millisecond, cancel)
	}
	if last == nil {
		t.Error("no end")
	}
}

func ExamplePace() {
	p := Pace{First: 128, Max: 512, Bytes: 256 << 10}
	fmt.Println(p.Size())
	p.Saw(128, 128*200)
	fmt.Println(p.Size())
	p.Saw(512, 512*8<<10)
	fmt.Println(p.Size())
	p.Saw(512, 512<<20)
	fmt.Println(p.Size())
	// Output:
	// 128
	// 512
	// 39
	// 1
}
