package faultproxy

import (
	"net"
	"sync"
	"time"
)

// A link is one connection through the proxy. ends[Up] is the client's, where
// the bytes of Up come from.
type link struct {
	p    *Proxy
	ends [directions]net.Conn
	once sync.Once
	done chan struct{} // closed when the link is cut

	stranded bool // guarded by p.mu: nothing passes
}

// chunk is what one read gave, with the moment at which it was read.
type chunk struct {
	b  []byte
	at time.Time
}

// held bounds how many chunks wait in one direction; behind them the peer's
// own buffers fill up, as they do with a frozen network.
const held = 1024

func (l *link) close() {
	l.once.Do(func() {
		close(l.done)
		for _, c := range l.ends {
			if tcp, ok := c.(*net.TCPConn); ok {
				_ = tcp.SetLinger(0) // a cut sends no farewell
			}
			_ = c.Close()
		}
	})
}

func (l *link) run() {
	var both sync.WaitGroup
	for d := range directions {
		both.Go(func() { l.pump(d) })
	}
	both.Wait()
	l.close()
	l.p.mu.Lock()
	delete(l.p.links, l)
	l.p.mu.Unlock()
}

// pump carries one direction until its source has ended and everything read
// from it is delivered, or the link is cut.
func (l *link) pump(d Direction) {
	from, to := l.ends[d], l.ends[1-d]
	chunks := make(chan chunk, held)
	var reading sync.WaitGroup
	reading.Go(func() {
		defer close(chunks)
		for {
			b := make([]byte, 32<<10)
			n, err := from.Read(b)
			if n > 0 {
				select {
				case chunks <- chunk{b[:n], time.Now()}:
				case <-l.done:
					return
				}
			}
			if err != nil {
				return
			}
		}
	})
	defer reading.Wait()
	for c := range chunks {
		pass, cut := l.gate(d, c)
		if len(pass) > 0 {
			if err := l.deliver(d, to, pass); err != nil {
				// The other side has gone; its own pump tells the rest.
				_ = from.Close()
				break
			}
		}
		if cut {
			l.p.cut(l.p.open())
			break
		}
	}
	for range chunks { // lets the reader end
	}
	if tcp, ok := to.(*net.TCPConn); ok {
		_ = tcp.CloseWrite()
	}
}

// deliver writes the bytes, in slices if they are to come so.
func (l *link) deliver(d Direction, to net.Conn, b []byte) error {
	for len(b) > 0 {
		l.p.mu.Lock()
		n, pause := l.p.faults[d].slice, l.p.faults[d].pause
		l.p.mu.Unlock()
		if n == 0 {
			n = len(b)
		}
		n = min(n, len(b))
		if _, err := to.Write(b[:n]); err != nil {
			return err
		}
		if b = b[n:]; pause > 0 {
			select {
			case <-time.After(pause):
			case <-l.done:
			}
		}
	}
	return nil
}

// gate waits until the chunk may arrive and returns what of it does, and
// whether the links are to be cut behind it.
func (l *link) gate(d Direction, c chunk) (pass []byte, cut bool) {
	p := l.p
	for {
		p.mu.Lock()
		f, changed := &p.faults[d], p.changed
		wait := time.Until(c.at.Add(f.delay))
		frozen := f.frozen || l.stranded
		if !frozen && wait <= 0 {
			pass = c.b
			if f.left >= 0 {
				if cut = len(pass) >= f.left; cut {
					pass = pass[:f.left]
					f.left = -1
				} else {
					f.left -= len(pass)
				}
			}
			if f.swallow {
				pass = nil
			}
			p.mu.Unlock()
			return pass, cut
		}
		if frozen {
			wait = time.Hour
		}
		p.mu.Unlock()
		t := time.NewTimer(wait)
		select {
		case <-t.C:
		case <-changed:
		case <-l.done:
			t.Stop()
			return nil, false
		}
		t.Stop()
	}
}
