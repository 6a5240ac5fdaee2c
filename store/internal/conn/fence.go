package conn

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strconv"
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
	off    string // why the fence does not work here; "" = it works
	dials  int64
	kills  int64
}

type peer struct{ addr, id, seen string }

// A closed connection that could not be killed is remembered this long: behind
// a virtual address, the server that has its bytes may come back.
const remember = 10 * time.Minute

func newFence(o Options) *fence {
	return &fence{o: o, closed: map[string]map[peer]time.Time{}, live: map[peer]int{}}
}

// dial connects, authenticates, learns the connection's own id and kills the
// closed ones. Any failure is a *DialError: nothing was sent.
func (f *fence) dial(ctx context.Context, addr string, d *net.Dialer, conf *tls.Config) (net.Conn, error) {
	if f.o.OnDial != nil {
		f.o.OnDial()
	}
	network := "tcp"
	if f.o.Unix != "" {
		network, addr = "unix", f.o.Unix
	}
	ctx, cancel := context.WithTimeout(ctx, f.o.Timeout)
	defer cancel()
	if opening := f.opening.Load(); opening != nil { // the dials of a client that is being made have no context of ours
		defer context.AfterFunc(*opening, cancel)()
	}
	c, err := d.DialContext(ctx, network, addr)
	if err != nil {
		return nil, &DialError{addr, cause(err)}
	}
	deadline, _ := ctx.Deadline()
	_ = c.SetDeadline(deadline)
	raw := c
	stop := context.AfterFunc(ctx, func() { _ = raw.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	if conf != nil {
		t := tls.Client(c, conf)
		if err := t.HandshakeContext(ctx); err != nil {
			_ = c.Close()
			return nil, &DialError{addr, fmt.Errorf("TLS: %w", cause(err))}
		}
		c = t
	}
	p, err := f.greet(c, addr)
	if err != nil {
		_ = c.Close()
		return nil, &DialError{addr, err}
	}
	if !stop() {
		_ = c.Close()
		return nil, &DialError{addr, errNoAnswer}
	}
	_ = c.SetDeadline(time.Time{})
	f.mu.Lock()
	defer f.mu.Unlock()
	f.dials++
	if p.id == "" {
		return c, nil
	}
	if f.live[p]++; f.live[p] > 1 {
		f.off = "two connections have one client id: a multiplexing proxy is between"
	}
	return &fenced{Conn: c, f: f, p: p}, nil
}

// greet speaks the first words on a new connection.
func (f *fence) greet(c net.Conn, addr string) (peer, error) {
	r := bufio.NewReader(c)
	if f.o.Sentinel != "" && slices.Contains(f.o.Addresses, addr) {
		return peer{}, nil // a sentinel takes no writes and has its own password
	}
	if f.o.Password != "" {
		auth := []string{"AUTH", f.o.Password}
		if f.o.Username != "" {
			auth = []string{"AUTH", f.o.Username, f.o.Password}
		}
		if _, err := ask(c, r, auth...); err != nil {
			return peer{}, err
		}
	}
	info, err := ask(c, r, "CLIENT", "INFO")
	if err != nil {
		if re, ok := errors.AsType[*replyError](err); ok && strings.Contains(strings.ToLower(re.text), "unknown subcommand") {
			f.mu.Lock()
			f.off = "the server does not know CLIENT INFO"
			f.mu.Unlock()
			return peer{}, nil
		}
		return peer{}, err
	}
	p := peer{addr: addr}
	for word := range strings.FieldsSeq(info) {
		if v, ok := strings.CutPrefix(word, "id="); ok {
			p.id = v
		}
		if v, ok := strings.CutPrefix(word, "addr="); ok {
			p.seen = v
		}
	}
	if p.id == "" || p.seen == "" {
		return peer{}, &Unfit{fmt.Sprintf("unexpected answer to CLIENT INFO: %.40q", info)}
	}
	for _, old := range f.pending(addr) {
		if _, err := ask(c, r, "CLIENT", "KILL", "ID", old.id, "ADDR", old.seen); err != nil {
			return peer{}, fmt.Errorf("fence: %w", err)
		}
		f.mu.Lock()
		delete(f.closed[addr], old)
		f.kills++
		f.mu.Unlock()
	}
	return p, nil
}

func (f *fence) pending(addr string) []peer {
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
	return ps
}

// A fenced connection is remembered when it is closed, before it is closed.
type fenced struct {
	net.Conn
	f    *fence
	p    peer
	once sync.Once
}

func (c *fenced) Close() error {
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
	return c.Conn.Close()
}

// FenceStats says whether the late-write fence works and what it has done.
type FenceStats struct {
	Off    string // Why it does not work; "" when it does.
	Dials  int64
	Killed int64
}

// Fence returns the state of the fence.
func (c *Conn) Fence() FenceStats {
	if c.fence == nil {
		return FenceStats{Off: "the client was given"}
	}
	c.fence.mu.Lock()
	defer c.fence.mu.Unlock()
	return FenceStats{c.fence.off, c.fence.dials, c.fence.kills}
}

// Fenced tells whether a command of a connection that is given up can no longer
// be carried out once another command is.
func (c *Conn) Fenced() bool { return c.fence != nil && c.Fence().Off == "" }

// replyError is an error reply that was read while dialling.
type replyError struct{ text string }

func (e *replyError) Error() string { return e.text }

// ask sends one command and reads one reply in RESP2, which every version of
// Redis speaks before HELLO. Error replies never repeat the arguments.
func ask(w io.Writer, r *bufio.Reader, args ...string) (string, error) {
	b := []byte("*" + strconv.Itoa(len(args)) + "\r\n")
	for _, a := range args {
		b = append(b, "$"+strconv.Itoa(len(a))+"\r\n"+a+"\r\n"...)
	}
	if _, err := w.Write(b); err != nil {
		return "", cause(err)
	}
	line, err := r.ReadString('\n')
	if err != nil {
		return "", cause(err)
	}
	line = strings.TrimRight(line, "\r\n")
	if line == "" {
		return "", &Unfit{"the answer is not of a Redis server"}
	}
	switch line[0] {
	case '+', ':':
		return line[1:], nil
	case '-':
		return "", &replyError{line[1:]}
	case '$':
		n, err := strconv.Atoi(line[1:])
		if err != nil || n < 0 || n > 1<<16 {
			return "", &Unfit{"the answer is not of a Redis server"}
		}
		buf := make([]byte, n+2)
		if _, err := io.ReadFull(r, buf); err != nil {
			return "", cause(err)
		}
		return string(buf[:n]), nil
	}
	return "", &Unfit{fmt.Sprintf("the answer %.20q is not of a Redis server", line)}
}

// errNoAnswer is what waiting in vain for a server comes to.
var errNoAnswer = errors.New("no answer within the timeout")

// cause strips the address that net's errors repeat.
func cause(err error) error {
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, context.DeadlineExceeded) {
		return errNoAnswer
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		return op.Err
	}
	if errors.Is(err, io.EOF) {
		return errors.New("the connection was closed")
	}
	return err
}
