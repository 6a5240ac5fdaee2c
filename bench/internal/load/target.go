package load

import (
	"context"
	"errors"
)

// ErrMismatch is wrapped by what Check returns for a read that is not what was written.
var ErrMismatch = errors.New("mismatch")

// A Target is what is measured. It owns a number of slots, each of which holds
// one request at a time; different slots are used by different goroutines.
type Target interface {
	// Prepare makes the slot's next request. It is called ahead of time, so that
	// choosing a key and building a row is nobody's latency.
	Prepare(slot int) Kind
	// Do sends the request and waits for the answer: this is what is measured.
	Do(ctx context.Context, slot int) error
	// Check compares the answer with what was written, after the clock has stopped.
	Check(slot int) error
}
