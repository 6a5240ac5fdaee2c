package conn

import (
	"errors"
	"strconv"
	"sync/atomic"
	"time"
)

// A clock is the server's, as its last TIME says. From then on it goes by the
// time that passes here, and not by our clock: that may be wrong and be set
// right, by hours, and what is written in between would expire at once or never.
type clock struct {
	zero  atomic.Int64         // when passed was 0, by the server, in nanoseconds since the epoch
	since func() time.Duration // in place of passed, for tests
}

var began = time.Now()

// passed is how long this process has been running. No step of a clock changes
// it.
func passed() time.Duration { return time.Since(began) }

func (c *clock) passed() time.Duration {
	if c.since != nil {
		return c.since()
	}
	return passed()
}

// set takes the reply of TIME that was asked for and read at the moments.
func (c *clock) set(asked, read time.Duration, reply []string) {
	sec, err1 := strconv.ParseInt(reply[0], 10, 64)
	usec, err2 := strconv.ParseInt(reply[1], 10, 64)
	if errors.Join(err1, err2) == nil {
		c.zero.Store(time.Unix(sec, usec*1000).Add(-(asked + read) / 2).UnixNano())
	}
}

// Now returns the server's clock in milliseconds since the epoch.
func (c *Conn) Now() int64 {
	z := c.clock.zero.Load()
	if z == 0 { // no server has told
		z = began.UnixNano()
	}
	return time.Duration(z + int64(c.clock.passed())).Milliseconds()
}
