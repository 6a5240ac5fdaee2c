package conn

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"sync"
	"time"
)

// A plain connection is for long answers: commands are written and answers are
// read by the caller, without a hand-over to other goroutines, and nothing is
// allocated for an element of an answer.
type plain struct {
	net.Conn
	run      string // names the server process
	patience time.Duration
	r        *bufio.Reader
	out      []byte
}

const plainBuffer = 128 << 10

// dialPlain needs no fence: what is read can do no harm when it comes late.
func (c *Conn) dialPlain(ctx context.Context) (*plain, error) {
	o := c.plains.o
	ctx, cancel := context.WithTimeout(ctx, o.Timeout)
	defer cancel()
	addr := ""
	for addr = range c.Client.Nodes() { // the one
	}
	h, err := c.fence.connect(ctx, addr, &net.Dialer{Timeout: o.Timeout, KeepAlive: time.Second}, o.TLS)
	if err != nil {
		return nil, err
	}
	r := bufio.NewReader(h)
	err = login(h, r, o.Username, o.Password)
	if err == nil && o.DB != 0 {
		_, err = ask(h, r, "SELECT", strconv.Itoa(o.DB))
	}
	info := ""
	if err == nil {
		info, err = ask(h, r, "INFO", "server")
	}
	run := runID(info)
	if err == nil && run == "" {
		err = errNoRunID
	}
	if err == nil {
		err = h.patient()
	}
	if err != nil {
		_ = h.Close()
		return nil, &DialError{addr, err}
	}
	p := &plain{Conn: h.Conn, run: run, patience: patience(o)}
	p.r = bufio.NewReaderSize(p, plainBuffer)
	return p, nil
}

// Read fails when the server says nothing for long.
func (p *plain) Read(b []byte) (int, error) {
	_ = p.SetReadDeadline(time.Now().Add(p.patience))
	return p.Conn.Read(b)
}

// ask sends a command and hands the elements of the answer, an array of
// strings, to each, nil for what is none. They are each's until it returns. On
// an error, which an end of the context is, the connection is of no use any
// more.
func (p *plain) ask(ctx context.Context, name, prefix string, keys, args []string, each func(i int, b []byte)) (n int, err error) {
	stop := context.AfterFunc(ctx, func() { _ = p.Close() })
	defer func() {
		if !stop() {
			err = errors.Join(ctx.Err(), err)
		}
	}()
	p.out = fmt.Appendf(p.out[:0], "*%d\r\n$%d\r\n%s\r\n", 1+len(keys)+len(args), len(name), name)
	add := func(prefix, s string) {
		b := strconv.AppendInt(append(p.out, '$'), int64(len(prefix)+len(s)), 10)
		p.out = append(append(append(append(b, "\r\n"...), prefix...), s...), "\r\n"...)
	}
	for _, k := range keys {
		add(prefix, k)
	}
	for _, a := range args {
		add("", a)
	}
	_ = p.SetWriteDeadline(time.Now().Add(p.patience))
	if _, err := p.Write(p.out); err != nil {
		return 0, err
	}
	if n, err = p.head('*'); err != nil {
		return 0, err
	}
	for i := range n {
		if err := p.element(i, each); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// head reads the number of a line of the kind.
func (p *plain) head(kind byte) (int, error) {
	line, err := p.r.ReadSlice('\n')
	if err != nil {
		return 0, err
	}
	if len(line) < 3 || line[0] != kind {
		return 0, fmt.Errorf("unexpected answer %.40q", line)
	}
	return strconv.Atoi(string(line[1 : len(line)-2]))
}

func (p *plain) element(i int, each func(i int, b []byte)) error {
	n, err := p.head('$')
	if err != nil {
		return err
	}
	if n < 0 {
		each(i, nil)
		return nil
	}
	b, err := p.r.Peek(n + 2)
	if errors.Is(err, bufio.ErrBufferFull) {
		b = make([]byte, n+2)
		if _, err = io.ReadFull(p.r, b); err == nil {
			each(i, b[:n])
		}
		return err
	}
	if err != nil {
		return err
	}
	each(i, b[:n])
	_, err = p.r.Discard(n + 2)
	return err
}

// plains are the plain connections that nobody uses at the moment. There are
// as many as have been used at once.
type plains struct {
	o      Options
	mu     sync.Mutex
	idle   []*plain
	closed bool
}

// take returns one of them, if there is one.
func (ps *plains) take() *plain {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	n := len(ps.idle) - 1
	if n < 0 {
		return nil
	}
	p := ps.idle[n]
	ps.idle = ps.idle[:n]
	return p
}

func (ps *plains) put(p *plain) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	if ps.closed {
		_ = p.Close()
		return
	}
	ps.idle = append(ps.idle, p)
}

// drop closes those that nobody uses; with one, the others are lost often.
func (ps *plains) drop(closed bool) {
	ps.mu.Lock()
	defer ps.mu.Unlock()
	ps.closed = ps.closed || closed
	for _, p := range ps.idle {
		_ = p.Close()
	}
	ps.idle = nil
}
