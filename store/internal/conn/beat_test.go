package conn

import (
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/faultproxy"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// What is told of a new connection comes before there is one: no reply of it
// can be believed to be older.
func TestOnDialComesBeforeTheConnection(t *testing.T) {
	p := faultproxy.Run(t, redistest.New(t).Addr())
	var mu sync.Mutex
	var accepted []int // at each call
	c, err := Open(t.Context(), Options{
		Addresses: []string{p.Addr()}, Timeout: time.Second,
		Tracking: []string{"BCAST", "PREFIX", "x"}, OnPush: func([]rueidis.RedisMessage) {},
		OnDial: func() { mu.Lock(); defer mu.Unlock(); accepted = append(accepted, p.Accepted()) },
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	before := p.Accepted()
	p.Cut()
	if err := Retry(t.Context(), func() error {
		err := c.Beat(t.Context())
		if err != nil {
			err = NotSent(err)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(accepted) < 2 || accepted[0] != 0 || !slices.Contains(accepted, before) {
		t.Errorf("at the calls %v connections had been made, want 0 and %d among them", accepted, before)
	}
}

func TestBeat(t *testing.T) {
	srv := redistest.New(t)
	c, err := Open(t.Context(), Options{Addresses: []string{srv.Addr()}, Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.clock.zero.Add(int64(time.Hour))
	if err := c.Beat(t.Context()); err != nil {
		t.Error(err)
	}
	if off := time.Until(time.UnixMilli(c.Now())); off.Abs() > 100*time.Millisecond {
		t.Errorf("the clock of the server is said to be %v ahead", off)
	}
	if _, err := srv.Do("REPLICAOF", "127.0.0.1", "1"); err != nil {
		t.Fatal(err)
	}
	if err := c.Beat(t.Context()); !errors.Is(err, ErrNotMaster) {
		t.Errorf("of a replica: %v", err)
	}
}
