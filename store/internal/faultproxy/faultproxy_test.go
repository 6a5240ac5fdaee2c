package faultproxy

import (
	"bytes"
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// server records what arrives and answers every read with "ok".
type server struct {
	net.Listener
	mu  sync.Mutex
	got bytes.Buffer
}

func serve(t *testing.T) *server {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &server{Listener: l}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer func() { _ = c.Close() }()
				b := make([]byte, 1024)
				for {
					n, err := c.Read(b)
					s.mu.Lock()
					s.got.Write(b[:n])
					s.mu.Unlock()
					if err != nil {
						return
					}
					_, _ = c.Write([]byte("ok"))
				}
			}()
		}
	}()
	return s
}

func (s *server) received() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.got.String()
}

func (s *server) wait(t *testing.T, want string) {
	t.Helper()
	for range 500 {
		if s.received() == want {
			return
		}
		time.Sleep(2 * time.Millisecond)
	}
	t.Fatalf("the server received %q, want %q", s.received(), want)
}

type client struct {
	*testing.T
	net.Conn
}

func dial(t *testing.T, p *Proxy) client {
	t.Helper()
	c, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return client{t, c}
}

func (c client) send(s string) {
	c.Helper()
	if _, err := c.Write([]byte(s)); err != nil {
		c.Fatal(err)
	}
}

// read wants an answer within d, or with want "" none.
func (c client) read(want string, d time.Duration) {
	c.Helper()
	_ = c.SetReadDeadline(time.Now().Add(d))
	b := make([]byte, 64)
	n, err := c.Read(b)
	if string(b[:n]) != want {
		c.Fatalf("read %q (%v), want %q", b[:n], err, want)
	}
	if want == "" && !errors.Is(err, os.ErrDeadlineExceeded) {
		c.Fatalf("read: %v, want a timeout", err)
	}
}

func TestPassesAndDelays(t *testing.T) {
	p := Run(t, serve(t).Addr().String())
	c := dial(t, p)
	c.send("a")
	c.read("ok", time.Second)
	p.Delay(Up, 40*time.Millisecond)
	p.Delay(Down, 40*time.Millisecond)
	start := time.Now()
	c.send("a")
	c.read("ok", time.Second)
	if d := time.Since(start); d < 80*time.Millisecond {
		t.Errorf("answered after %v, want 80 ms or more", d)
	}
	if p.Accepted() != 1 {
		t.Errorf("%d connections, want 1", p.Accepted())
	}
}

func TestFreeze(t *testing.T) {
	s := serve(t)
	p := Run(t, s.Addr().String())
	c := dial(t, p)
	p.Freeze()
	c.send("a")
	c.read("", 30*time.Millisecond)
	if got := s.received(); got != "" {
		t.Errorf("the server received %q through a frozen link", got)
	}
	p.Thaw()
	c.read("ok", time.Second)

	p.Freeze(Down)
	c.send("b")
	s.wait(t, "ab")
	c.read("", 30*time.Millisecond)
	p.Thaw()
	c.read("ok", time.Second)
}

// What a client sent before it gave up arrives late.
func TestLateBytes(t *testing.T) {
	s := serve(t)
	p := Run(t, s.Addr().String())
	c := dial(t, p)
	p.Delay(Up, 50*time.Millisecond)
	c.send("late")
	_ = c.Close()
	if got := s.received(); got != "" {
		t.Errorf("the server received %q early", got)
	}
	s.wait(t, "late")

	p.Delay(Up, 0)
	c = dial(t, p)
	p.Freeze(Up)
	c.send("r")
	_ = c.Close()
	time.Sleep(20 * time.Millisecond)
	p.Thaw()
	s.wait(t, "later")
}

// A stranded connection has ended for its client, a newer one overtakes it, and
// then its bytes arrive.
func TestStrand(t *testing.T) {
	s := serve(t)
	p := Run(t, s.Addr().String())
	old := dial(t, p)
	p.Freeze(Up)
	old.send("old")
	time.Sleep(10 * time.Millisecond)
	deliver := p.Strand()
	p.Thaw()
	_ = old.SetReadDeadline(time.Now().Add(time.Second))
	if _, err := old.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("read of a stranded connection: %v", err)
	}
	_ = old.Close()
	c := dial(t, p)
	c.send("new")
	c.read("ok", time.Second)
	deliver()
	s.wait(t, "newold")
}

func TestCut(t *testing.T) {
	s := serve(t)
	p := Run(t, s.Addr().String())
	c := dial(t, p)
	c.send("a")
	c.read("ok", time.Second)
	p.Cut()
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	if n, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("read %d bytes of a cut connection, %v", n, err)
	}
	c = dial(t, p)
	p.CutAfter(Up, 3)
	c.send("bcdef")
	s.wait(t, "abcd")
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("not cut: %v", err)
	}
	c = dial(t, p)
	c.send("e")
	s.wait(t, "abcde")
}

func TestSwallowAndRefuse(t *testing.T) {
	s := serve(t)
	p := Run(t, s.Addr().String())
	c := dial(t, p)
	p.Swallow(Down, true)
	c.send("a")
	s.wait(t, "a")
	c.read("", 30*time.Millisecond)
	p.Swallow(Down, false)
	c.send("b")
	c.read("ok", time.Second)

	p.Refuse(true)
	c = dial(t, p)
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	if _, err := c.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a refused connection reads: %v", err)
	}
	p.Refuse(false)
	c = dial(t, p)
	c.send("c")
	c.read("ok", time.Second)
}
