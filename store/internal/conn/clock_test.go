package conn

import (
	"strings"
	"testing"
	"time"
)

// The server's clock is told by the server and by the time that passes: a step
// of our clock changes nothing, one of the server's is followed.
func TestClock(t *testing.T) {
	var elapsed time.Duration
	c := &Conn{}
	c.clock.since = func() time.Duration { return elapsed }
	if off := time.Until(time.UnixMilli(c.Now())); off.Abs() > time.Hour {
		t.Errorf("before a server has told, the clock is %v off", off)
	}
	elapsed = 10 * time.Second
	c.clock.set(elapsed-20*time.Millisecond, elapsed, []string{"1000000000", "500000"})
	for _, s := range []struct {
		passes time.Duration
		server []string // its TIME
		want   int64
	}{
		{0, nil, 1000000000_510},
		{90 * time.Minute, nil, 1000005400_510}, // whatever our own clock says meanwhile
		{0, []string{"1000009000", "0"}, 1000009000_000},
		{time.Second, []string{"999990000", "0"}, 999990000_000},
		{time.Second, []string{"no", "time"}, 999990001_000},
	} {
		if elapsed += s.passes; s.server != nil {
			c.clock.set(elapsed, elapsed, s.server)
		}
		if got := c.Now(); got != s.want {
			t.Errorf("%+v: the clock is at %d", s, got)
		}
	}
	if !strings.Contains(began.String(), " m=") {
		t.Errorf("%v knows nothing of the time that passes: a step of the clock would be taken for it", began)
	}
}
