package store

import (
	"fmt"
	"time"
)

// BufferStats tell about the write buffer; all are 0 without one.
type BufferStats struct {
	Entries   int           // Rows, elements and fields that are accepted and not acknowledged.
	Bytes     int64         // Their memory, by estimate.
	Oldest    time.Duration // Age of the oldest of them.
	Accepted  int64         // Writes accepted.
	Coalesced int64         // Of them, those that took the place of one that was not sent yet.
	Acked     int64         // Steps that Redis has acknowledged; one may carry several writes.
	Resent    int64         // Steps sent again.
	Failed    int64         // Steps that failed for good.
	LastError error         // Of what was sent last; nil when that went well.
}

func (sh *shared) bufferStats() BufferStats {
	if sh.buffer == nil {
		return BufferStats{}
	}
	b := sh.buffer.Stats()
	return BufferStats{
		Entries: b.Entries, Bytes: b.Bytes, Oldest: b.Oldest, Accepted: b.Accepted, Coalesced: b.Coalesced,
		Acked: b.Acked, Resent: b.Resent, Failed: b.Failed, LastError: b.LastError,
	}
}

// bufferStuck returns an error when accepted writes wait much longer than they
// should.
func (sh *shared) bufferStuck() error {
	b := sh.bufferStats()
	limit := max(10*time.Duration(sh.cfg.BufferIntervalMS)*time.Millisecond, time.Second)
	if b.Oldest <= limit {
		return nil
	}
	err := fmt.Errorf("%d buffered writes wait, the oldest for %v", b.Entries, b.Oldest.Round(time.Millisecond))
	if b.LastError != nil {
		err = fmt.Errorf("%w: %w", err, b.LastError)
	}
	return class(ErrUnavailable, err)
}
