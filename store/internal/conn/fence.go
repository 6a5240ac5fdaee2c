package conn

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// A fence makes sure that bytes of a connection which this process has given
// up cannot be applied behind a newer write: before a new connection to an
// address is used, every closed one of that address is killed at the server.
// No command can precede the kill, as it happens while dialling.
type fence struct {
	o       Options
	opening atomic.Pointer[context.Context] // of Open, while it runs
	mu      sync.Mutex
	// closed connections by address, each by its id and its address as the
	// server saw it: a restarted server uses ids again.
	closed map[string]map[peer]time.Time
	live   map[peer]int
	off    string          // why the fence does not work here; "" = it works
	dialed map[string]bool // addresses
	dials  int64
	redial int64
	kills  int64
	runs   map[string]string // run_id by address
	starts int64             // of servers that had been started before
	broken bool              // kills nothing, so that tests can show that they would notice
}

type peer struct{ addr, id, seen string }

// A closed connection that could not be killed is remembered this long: behind
// a virtual address, the server that has its bytes may come back.
const remember = 10 * time.Minute

func newFence(o Options) *fence {
	return &fence{o: o, broken: o.broken, closed: map[string]map[peer]time.Time{}, live: map[peer]int{}, dialed: map[string]bool{}, runs: map[string]string{}}
}

// dial connects, authenticates, learns the connection's own id and kills the
// closed ones. Any failure is a *DialError: nothing was sent.
func (f *fence) dial(ctx context.Context, addr string, d *net.Dialer, conf *tls.Config) (net.Conn, error) {
	if f.o.OnDial != nil && !atSentinel(d) {
		f.o.OnDial()
	}
	ctx, cancel := context.WithTimeout(ctx, f.o.Timeout)
	defer cancel()
	if opening := f.opening.Load(); opening != nil { // the dials of a client that is being made have no context of ours
		defer context.AfterFunc(*opening, cancel)()
	}
	c, err := f.connect(ctx, addr, d, conf)
	if err != nil {
		return nil, err
	}
	greet := f.greet
	if atSentinel(d) {
		greet = f.greetSentinel
	}
	p, err := greet(c, addr)
	if err == nil {
		err = c.patient()
	}
	if err != nil {
		_ = c.Close()
		return nil, &DialError{addr, err}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dials++
	if f.dialed[addr] && !atSentinel(d) {
		f.redial++
	}
	f.dialed[addr] = true
	if p.id == "" || f.off != "" {
		return c.Conn, nil
	}
	f.live[p]++
	return &fenced{Conn: c.Conn, f: f, p: p}, nil
}

// A hasty connection fails when the context of its dial ends.
type hasty struct {
	net.Conn
	stop func() bool
}

// patient ends the haste, unless it is too late.
func (h *hasty) patient() error {
	if !h.stop() {
		return errNoAnswer
	}
	return h.SetDeadline(time.Time{})
}

// connect dials and, with a configuration, makes TLS of it.
func (f *fence) connect(ctx context.Context, addr string, d *net.Dialer, conf *tls.Config) (*hasty, error) {
	network, to := "tcp", addr
	if f.o.Unix != "" {
		network, to = "unix", f.o.Unix
	}
	c, err := d.DialContext(ctx, network, to)
	if err != nil {
		return nil, &DialError{to, cause(err)}
	}
	if deadline, ok := ctx.Deadline(); ok {
		_ = c.SetDeadline(deadline)
	}
	raw := c
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	secure, err := f.handshake(ctx, c, to, conf)
	if err != nil {
		stop()
		_ = c.Close()
		return nil, &DialError{to, err}
	}
	return &hasty{secure, stop}, nil
}

// login authenticates, where there is a password.
func login(c net.Conn, r *bufio.Reader, username, password string) error {
	if password == "" {
		return nil
	}
	auth := []string{"AUTH", password}
	if username != "" {
		auth = []string{"AUTH", username, password}
	}
	_, err := ask(c, r, auth...)
	return err
}

// greet speaks the first words on a new connection.
func (f *fence) greet(c net.Conn, addr string) (peer, error) {
	r := bufio.NewReader(c)
	if err := login(c, r, f.o.Username, f.o.Password); err != nil {
		return peer{}, err
	}
	p, age, err := introduce(c, r, addr)
	if re, ok := errors.AsType[*replyError](err); ok && strings.Contains(strings.ToLower(re.text), "unknown ") {
		return peer{}, f.turnOff("the server does not know CLIENT INFO")
	}
	if err != nil {
		return peer{}, err
	}
	if f.shared(p, age) {
		return p, f.turnOff(multiplexed)
	}
	if err := f.kill(c, r, f.pending(addr)); err != nil {
		return p, err
	}
	return p, f.identify(c, r, addr)
}

// identify notices that another process of the server answers than before: what
// it had not on disk is gone.
func (f *fence) identify(c net.Conn, r *bufio.Reader, addr string) error {
	info, err := ask(c, r, "INFO", "server")
	if errors.As(err, new(*replyError)) {
		return nil // not allowed, and not needed
	}
	if err != nil {
		return err
	}
	_, rest, _ := strings.Cut(info, "run_id:")
	id, _, _ := strings.Cut(rest, "\r")
	f.mu.Lock()
	defer f.mu.Unlock()
	if was := f.runs[addr]; was != "" && id != was {
		f.starts++
		if f.o.Logger != nil {
			f.o.Logger.Warn("redis has been started anew: what it had not saved is lost", "address", addr)
		}
	}
	f.runs[addr] = id
	return nil
}

const multiplexed = "two connections have one client id: a multiplexing proxy is between, and the server cannot tell them apart"

// introduce asks the server who it thinks we are, and for how many seconds.
func introduce(c net.Conn, r *bufio.Reader, addr string) (p peer, age string, err error) {
	info, err := ask(c, r, "CLIENT", "INFO")
	if err != nil {
		return p, "", err
	}
	word := func(name string) string {
		_, rest, _ := strings.Cut(" "+info, " "+name+"=")
		v, _, _ := strings.Cut(rest, " ")
		return strings.TrimSpace(v)
	}
	p = peer{addr: addr, id: word("id"), seen: word("addr")}
	if p.id == "" || p.seen == "" {
		return p, "", &Unfit{fmt.Sprintf("unexpected answer to CLIENT INFO: %.40q", info)}
	}
	return p, word("age"), nil
}

// probe makes a second connection beside one in use and drops it, to see
// whether the server can tell them apart.
func (f *fence) probe(ctx context.Context, d *net.Dialer, conf *tls.Config) error {
	f.mu.Lock()
	addr := ""
	for p := range f.live {
		addr = p.addr
	}
	f.mu.Unlock()
	if addr == "" {
		return nil
	}
	c, err := f.connect(ctx, addr, d, conf)
	if err != nil {
		return err
	}
	defer func() { _ = c.Close() }()
	r := bufio.NewReader(c)
	if err := login(c, r, f.o.Username, f.o.Password); err != nil {
		return &DialError{addr, err}
	}
	p, age, err := introduce(c, r, addr)
	if err == nil && f.shared(p, age) {
		err = f.turnOff(multiplexed)
	}
	if err != nil {
		return &DialError{addr, err}
	}
	return nil
}

// turnOff notes why there is no fence here, which is an error where one is
// required.
func (f *fence) turnOff(why string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.off = why
	clear(f.closed) // a kill would hit others
	if f.o.FenceRequired {
		return &Unfit{"a fence against late writes is required, but " + why}
	}
	return nil
}

// shared tells whether the server has seen this connection before, under
// another one of ours. A restarted server uses ids again, and by chance the
// address too, but then the connection is new to it.
func (f *fence) shared(p peer, age string) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	_, closed := f.closed[p.addr][p]
	return f.live[p] > 0 || closed && age != "0" && age != "1"
}

// kill makes the server drop the old connections, in one round trip. Any
// failure is one of the dial: the new connection is not used.
func (f *fence) kill(c net.Conn, r *bufio.Reader, olds []peer) error {
	var b []byte
	for _, old := range olds {
		b = appendCommand(b, "CLIENT", "KILL", "ID", old.id, "ADDR", old.seen)
	}
	if len(olds) == 0 || f.broken {
		return nil
	}
	if _, err := c.Write(b); err != nil {
		return fmt.Errorf("fence: %w", cause(err))
	}
	for _, old := range olds {
		killed, err := readReply(r)
		if err != nil {
			return fmt.Errorf("fence: %w", err)
		}
		f.mu.Lock()
		if f.kills++; killed != "0" {
			delete(f.closed[old.addr], old)
		}
		f.mu.Unlock()
	}
	return nil
}

// maxPending is how many connections of one address are killed again. Those
// that the server did not find are most likely dead, or on the server that had
// this address before.
const maxPending = 32

// pending returns the connections that must be dead before a new one is used.
func (f *fence) pending(addr string) []peer {
	// A connection is given up a moment before it is closed, and only then is
	// it known here. One that stays is in use: a blocking command has its own.
	for range 50 {
		f.mu.Lock()
		live := 0
		for p, n := range f.live {
			if p.addr == addr {
				live += n
			}
		}
		f.mu.Unlock()
		if live == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	var ps []peer
	for p, t := range f.closed[addr] {
		if time.Since(t) > remember {
			delete(f.closed[addr], p)
			continue
		}
		ps = append(ps, p)
	}
	slices.SortFunc(ps, func(a, b peer) int { return f.closed[addr][b].Compare(f.closed[addr][a]) })
	for len(ps) > maxPending {
		delete(f.closed[addr], ps[len(ps)-1])
		ps = ps[:len(ps)-1]
	}
	return ps
}

// FenceStats says whether the late-write fence works and what it has done.
type FenceStats struct {
	Off        string // Why it does not work; "" when it does.
	Dials      int64
	Reconnects int64 // Dials of a node that had been dialled before.
	Killed     int64
	Restarts   int64 // Dials after which another process of a server answered than before.
}

// Fence returns the state of the fence.
func (c *Conn) Fence() FenceStats {
	if c.fence == nil {
		return FenceStats{Off: "the client was given"}
	}
	c.fence.mu.Lock()
	defer c.fence.mu.Unlock()
	return FenceStats{c.fence.off, c.fence.dials, c.fence.redial, c.fence.kills, c.fence.starts}
}

// Fenced tells whether a command of a connection that is given up can no longer
// be carried out once another command is.
func (c *Conn) Fenced() bool { return c.fence != nil && c.Fence().Off == "" }
