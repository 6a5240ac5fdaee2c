// Package load sends requests and measures them: in an open loop, where each
// request has a moment at which it is due and its latency counts from there,
// and in a closed loop, where a client sends its next request when it has the
// answer to the last.
//
// Only the open loop sees what a user sees when the server stalls: the closed
// loop stops asking while it is stalled ("coordinated omission").
package load

import (
	"runtime"
	"time"
)

// base is what all moments of this process count from; time.Since reads the monotonic clock only.
var base = time.Now()

// now is a moment: nanoseconds since base.
func now() int64 { return int64(time.Since(base)) }

// A pacer waits for moments. It has an operating system thread of its own and
// asks the kernel for a timer without slack: Go's own timers overshoot every
// wait below a millisecond to a whole one, which would be the latency measured.
type pacer struct{ release func() }

// newPacer belongs to the calling goroutine until close.
func newPacer() pacer {
	runtime.LockOSThread()
	return pacer{release: sharpTimer()}
}

func (p pacer) close() {
	p.release()
	runtime.UnlockOSThread()
}

// until returns at the moment or, when that is past, at once. It never spins:
// on two cores a spinning pacer starves the server that it measures.
func (pacer) until(at int64) {
	if d := at - now(); d > 0 {
		sleep(d)
	}
}

// Reserve gives Go as many processors more as threads are going to sleep in the kernel: a thread in such a sleep
// keeps its processor until the runtime's monitor takes it away, up to 10 ms later, and on two cores a pacer and
// a hiccup meter would hold all there are while answers wait to be read. release takes them back.
func Reserve(sleepers int) (release func()) {
	was := runtime.GOMAXPROCS(0)
	runtime.GOMAXPROCS(was + sleepers)
	return func() { runtime.GOMAXPROCS(was) }
}

// Nap is how a hiccup meter sleeps: like the pacer. It must run on a locked thread.
func Nap(d time.Duration) { sleep(int64(d)) }

// SharpTimer takes the slack from the calling thread's timers until release is called.
func SharpTimer() (release func()) { return sharpTimer() }
