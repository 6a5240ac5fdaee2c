package conn

import (
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A fenced connection is remembered as given up as soon as it fails or is
// closed, before anybody hears of that and dials anew.
type fenced struct {
	net.Conn
	f        *fence
	p        peer
	answered atomic.Bool // something was read: the greeting is over
	once     sync.Once
}

// Read marks an error before the first answer as one of the dial: no command
// is sent before the client has been greeted.
func (c *fenced) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	switch {
	case err != nil:
		return n, c.failed(err)
	case n > 0 && !c.answered.Load():
		c.answered.Store(true)
	}
	return n, nil
}

func (c *fenced) Write(b []byte) (int, error) {
	n, err := c.Conn.Write(b)
	if err != nil {
		err = c.failed(err)
	}
	return n, err
}

func (c *fenced) failed(err error) error {
	c.givenUp()
	if !c.answered.Load() {
		return &DialError{c.p.addr, cause(err)}
	}
	return err
}

func (c *fenced) Close() error {
	c.givenUp()
	return c.Conn.Close()
}

func (c *fenced) givenUp() {
	c.once.Do(func() {
		c.f.mu.Lock()
		defer c.f.mu.Unlock()
		if c.f.live[c.p]--; c.f.live[c.p] <= 0 {
			delete(c.f.live, c.p)
		}
		if c.f.closed[c.p.addr] == nil {
			c.f.closed[c.p.addr] = map[peer]time.Time{}
		}
		c.f.closed[c.p.addr][c.p] = time.Now()
	})
}
