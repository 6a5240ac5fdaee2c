package conn_test

import (
	"io"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// An address whose server changes, as that of a failover does: connections
// made before go on to the old server.
func moving(t *testing.T, to *atomic.Pointer[string]) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			s, err := net.Dial("tcp", *to.Load())
			if err != nil {
				_ = c.Close()
				continue
			}
			go func() { _, _ = io.Copy(s, c); _ = s.Close() }()
			go func() { _, _ = io.Copy(c, s); _ = c.Close() }()
		}
	}()
	return l.Addr().String()
}

func TestBulkIsAnotherConnectionToTheSameServer(t *testing.T) {
	a, b := redistest.New(t), redistest.New(t)
	var target atomic.Pointer[string]
	first, second := a.Addr(), b.Addr()
	target.Store(&first)
	dials := 0
	c, err := conn.Open(t.Context(), conn.Options{
		Addresses: []string{moving(t, &target)}, Timeout: time.Second,
		Tracking: []string{"BCAST", "PREFIX", "trader"}, OnDial: func() { dials++ },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	before := dials
	bulk := c.Bulk(t.Context())
	if bulk == c.Client {
		t.Fatal("bulk reads take the ordinary connection")
	}
	if dials != before {
		t.Error("the dial of bulk reads was reported as one of the ordinary connection")
	}
	if again := c.Bulk(t.Context()); again != bulk {
		t.Error("a second bulk read has another client")
	}
	info, err := bulk.Do(t.Context(), bulk.B().ClientTrackinginfo().Build()).AsMap()
	if err != nil {
		t.Fatal(err)
	}
	redirect := info["flags"]
	if flags, err := redirect.AsStrSlice(); err != nil || strings.Join(flags, " ") != "off" {
		t.Errorf("tracking of bulk reads: %v, %v", flags, err)
	}

	// The ordinary connection is lost and leads to another server then, while
	// the one for bulk reads still is with the old one.
	target.Store(&second)
	id, err := a.Do("CLIENT", "LIST")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(id) {
		if strings.Contains(line, "flags=t") {
			_, addr, _ := strings.Cut(line, " addr=")
			addr, _, _ = strings.Cut(addr, " ")
			if _, err := a.Do("CLIENT", "KILL", "ADDR", addr); err != nil {
				t.Fatal(err)
			}
		}
	}
	end := time.Now().Add(5 * time.Second)
	for dials == before && time.Now().Before(end) {
		_ = c.Client.Do(t.Context(), c.Client.B().Ping().Build()).Error()
	}
	if got := c.Bulk(t.Context()); got != c.Client {
		t.Error("bulk reads go to another server than writes")
	}
}
