// Package faultproxy stands between a client and a server over TCP and breaks
// the link on purpose: it delays, freezes, cuts, refuses and swallows. Tests
// point a store at the proxy instead of at Redis.
//
// Bytes that a peer has sent are delivered even when that peer has closed its
// end meanwhile, as a network would: with a delay or behind a freeze they are
// the late bytes of a connection that its client has given up.
package faultproxy

import (
	"net"
	"sync"
	"testing"
	"time"
)

// Direction is the way that bytes take.
type Direction int

// The directions.
const (
	Up   Direction = iota // client to server: requests
	Down                  // server to client: replies and pushes
	directions
)

// A Proxy listens on a port of 127.0.0.1 and passes each connection on to its
// target. Its methods are safe for concurrent use and hold for connections
// that are open as well as for later ones.
type Proxy struct {
	target   string
	listener net.Listener
	running  sync.WaitGroup

	mu      sync.Mutex
	changed chan struct{} // closed and replaced when a fault changes
	links   map[*link]struct{}
	faults  [directions]faults
	refuse  bool
	closed  bool
	seen    int
}

type faults struct {
	delay   time.Duration
	frozen  bool
	swallow bool
	left    int // bytes until the cut; -1 is none
	slice   int // bytes that arrive at once; 0 is all
	pause   time.Duration
}

// Start starts a proxy to target, a host:port. The caller closes it.
func Start(target string) (*Proxy, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	p := &Proxy{target: target, listener: l, changed: make(chan struct{}), links: map[*link]struct{}{}}
	for d := range p.faults {
		p.faults[d].left = -1
	}
	p.running.Go(p.accept)
	return p, nil
}

// Run is [Start] for a test, which closes the proxy when it ends.
func Run(t testing.TB, target string) *Proxy {
	t.Helper()
	p, err := Start(target)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Close)
	return p
}

// Addr is the proxy's host:port.
func (p *Proxy) Addr() string { return p.listener.Addr().String() }

// Port is the TCP port of Addr.
func (p *Proxy) Port() int { return p.listener.Addr().(*net.TCPAddr).Port }

// Accepted is the number of connections taken so far.
func (p *Proxy) Accepted() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen
}

// Delay makes every byte of the direction arrive d later than it would.
func (p *Proxy) Delay(d Direction, delay time.Duration) {
	p.change(func() { p.faults[d].delay = delay })
}

// Slice makes the bytes of a direction arrive n at a time, with a pause behind
// each. An n of 0 takes that back.
func (p *Proxy) Slice(d Direction, n int, pause time.Duration) {
	p.change(func() { p.faults[d].slice, p.faults[d].pause = n, pause })
}

// Freeze stops the given directions, without any both: connections stay open
// and nothing arrives until Thaw.
func (p *Proxy) Freeze(ds ...Direction) {
	if len(ds) == 0 {
		ds = []Direction{Up, Down}
	}
	p.change(func() {
		for _, d := range ds {
			p.faults[d].frozen = true
		}
	})
}

// Thaw delivers what Freeze has held back and goes on.
func (p *Proxy) Thaw() {
	p.change(func() {
		for d := range p.faults {
			p.faults[d].frozen = false
		}
	})
}

// Swallow drops the bytes of a direction while it is on: with [Down], the
// server carries out what its client never hears of.
func (p *Proxy) Swallow(d Direction, on bool) {
	p.change(func() { p.faults[d].swallow = on })
}

// Cut closes the open connections at once, both ends.
func (p *Proxy) Cut() { p.cut(p.open()) }

// CutAfter lets n more bytes through in the direction, over all connections,
// and then cuts every one of them, once. A negative n takes that back.
func (p *Proxy) CutAfter(d Direction, n int) {
	p.change(func() { p.faults[d].left = n })
}

// Refuse closes new connections at once while it is on.
func (p *Proxy) Refuse(on bool) { p.change(func() { p.refuse = on }) }

// Close cuts the open connections, stops listening and waits.
func (p *Proxy) Close() {
	p.change(func() { p.closed = true })
	_ = p.listener.Close()
	p.Cut()
	p.running.Wait()
}

func (p *Proxy) change(f func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f()
	close(p.changed)
	p.changed = make(chan struct{})
}

func (p *Proxy) open() []*link {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ls []*link
	for l := range p.links {
		ls = append(ls, l)
	}
	return ls
}

func (p *Proxy) cut(ls []*link) {
	for _, l := range ls {
		l.close()
	}
}

func (p *Proxy) accept() {
	for {
		client, err := p.listener.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		p.seen++
		refuse := p.refuse || p.closed
		p.mu.Unlock()
		if refuse {
			_ = client.Close()
			continue
		}
		server, err := net.DialTimeout("tcp", p.target, time.Second)
		if err != nil {
			_ = client.Close()
			continue
		}
		l := &link{p: p, ends: [directions]net.Conn{Up: client, Down: server}, done: make(chan struct{})}
		p.mu.Lock()
		p.links[l] = struct{}{}
		closed := p.closed
		p.mu.Unlock()
		p.running.Go(l.run)
		if closed {
			l.close()
		}
	}
}
