package conn_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// plains lists the addresses of the connections that speak without HELLO, but
// for that which asks.
func plains(t *testing.T, srv *redistest.Server) (addrs []string) {
	t.Helper()
	all, err := srv.Do("CLIENT", "LIST", "TYPE", "normal")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(all) {
		if strings.Contains(line, " resp=2") && !strings.Contains(line, " cmd=client|list") {
			_, addr, _ := strings.Cut(line, " addr=")
			addr, _, _ = strings.Cut(addr, " ")
			addrs = append(addrs, addr)
		}
	}
	return addrs
}

func opened(t *testing.T, o conn.Options) *conn.Conn {
	t.Helper()
	o.Timeout = time.Second
	c, err := conn.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// got asks for all keys and returns what it hears of them last.
func got(t *testing.T, s *conn.Strings, ids []string) []string {
	t.Helper()
	var all []string
	if err := s.MGet(t.Context(), "k", ids, func(i int, b []byte) {
		if i == 0 {
			all = nil
		}
		if i != len(all) {
			t.Fatalf("element %d behind %d", i, len(all))
		}
		all = append(all, fmt.Sprintf("%t %s", b != nil, b))
	}); err != nil {
		t.Fatal(err)
	}
	return all
}

// Whether by connections of their own or by the ordinary one, the same strings
// are read: of the database in use, with the password, long ones and none.
func TestStringsAreTheSameByBothWays(t *testing.T) {
	srv := redistest.Run(t, redistest.Options{Password: "s3cret"})
	c := opened(t, conn.Options{Addresses: []string{srv.Addr()}, Password: "s3cret", DB: 3})
	do := func(args ...string) {
		t.Helper()
		if err := c.Client.Do(t.Context(), c.Client.B().Arbitrary(args...).Build()).Error(); err != nil {
			t.Fatal(err)
		}
	}
	long := strings.Repeat("0123456789", 50_000)
	do("SET", "k1", "one")
	do("SET", "k2", "")
	do("RPUSH", "k3", "no string")
	do("SET", "k4", long)
	do("SET", "k5", "be\r\n$hind")
	ids := []string{"1", "2", "3", "4", "5", "6"}
	want := []string{"true one", "true ", "false ", "true " + long, "true be\r\n$hind", "false "}
	var members []string
	for i := range 3000 {
		members = append(members, fmt.Sprintf("member %04d %s", i, long[:i%50]))
		do("ZADD", "z", "+inf", members[i])
	}
	members = append(members, long)
	do("ZADD", "z", "+inf", long)
	slices.Sort(members)
	for _, own := range []bool{false, true} {
		s := c.Strings(t.Context(), own)
		for range 2 {
			if all := got(t, s, ids); !slices.Equal(all, want) {
				t.Errorf("own %v: %.60q", own, all)
			}
			used := plains(t, srv)
			ms, err := s.Members(t.Context(), "z", 10)
			if slices.Sort(ms); err != nil || !slices.Equal(ms, members) {
				t.Errorf("own %v: %d members, %v", own, len(ms), err)
			}
			if got(t, s, ids); own != (len(used) == 1) || !slices.Equal(plains(t, srv), used) {
				t.Errorf("own %v: by the connections %v, then %v", own, used, plains(t, srv))
			}
			if ms, err = s.Members(t.Context(), "none", 0); err != nil || len(ms) != 0 {
				t.Errorf("own %v: members of none: %q, %v", own, ms, err)
			}
			if _, err = s.Members(t.Context(), "k1", 0); err == nil || !strings.HasPrefix(err.Error(), "WRONGTYPE") {
				t.Errorf("own %v: members of a string: %v", own, err)
			}
		}
	}
}

// The connections are used again, and closed with the others.
func TestStringsKeepTheirConnections(t *testing.T) {
	srv := redistest.New(t)
	before := goleak.IgnoreCurrent()
	c := opened(t, conn.Options{Addresses: []string{srv.Addr()}})
	for range 3 {
		got(t, c.Strings(t.Context(), true), []string{"1", "2"})
		if n := len(plains(t, srv)); n != 1 {
			t.Errorf("%d connections", n)
		}
	}
	got(t, c.Strings(t.Context(), false), []string{"1"})
	c.Close()
	end := time.Now().Add(5 * time.Second)
	for len(plains(t, srv)) > 0 && time.Now().Before(end) {
		time.Sleep(time.Millisecond)
	}
	if n := len(plains(t, srv)); n != 0 {
		t.Errorf("%d connections are left", n)
	}
	goleak.VerifyNone(t, before)
}

func TestStringsComeFromTheServerThatIsWrittenTo(t *testing.T) {
	a, b := redistest.New(t), redistest.New(t)
	var target atomic.Pointer[string]
	first, second := a.Addr(), b.Addr()
	target.Store(&first)
	for srv, v := range map[*redistest.Server]string{a: "old", b: "new"} {
		if _, err := srv.Do("SET", "k1", v); err != nil {
			t.Fatal(err)
		}
	}
	c := opened(t, conn.Options{Addresses: []string{moving(t, &target)}, Tracking: []string{"BCAST", "PREFIX", "trader"}})
	s := c.Strings(t.Context(), true)
	if err := s.MGet(t.Context(), "k", []string{"1"}, func(_ int, b []byte) {
		if all := got(t, s, []string{"1"}); all[0] != "true old" || string(b) != "old" {
			t.Errorf("%q, %q", all, b)
		}
	}); err != nil || len(plains(t, a)) != 2 {
		t.Fatalf("connections %v, %v", plains(t, a), err)
	}
	target.Store(&second)
	all, err := a.Do("CLIENT", "LIST")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(all) {
		if _, rest, ok := strings.Cut(line, " addr="); ok && strings.Contains(line, "flags=t") {
			addr, _, _ := strings.Cut(rest, " ")
			if _, err := a.Do("CLIENT", "KILL", "ADDR", addr); err != nil {
				t.Fatal(err)
			}
		}
	}
	end := time.Now().Add(5 * time.Second)
	for {
		v, err := c.Client.Do(t.Context(), c.Client.B().Get().Key("k1").Build()).ToString()
		if err == nil && v == "new" {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the ordinary connection stays")
		}
	}
	for range 2 {
		if all := got(t, c.Strings(t.Context(), true), []string{"1"}); all[0] != "true new" {
			t.Errorf("%q", all)
		}
	}
	if len(plains(t, b)) != 1 {
		t.Error("the new server is not read by a connection of its own")
	}
	// The address has changed, and the ordinary connection has not noticed yet.
	c2 := opened(t, conn.Options{Addresses: []string{moving(t, &target)}, Tracking: []string{"BCAST", "PREFIX", "trader"}})
	target.Store(&first)
	if all := got(t, c2.Strings(t.Context(), true), []string{"1"}); all[0] != "true new" {
		t.Errorf("by another server than that of the ordinary connection: %q", all)
	}
}

// A connection that is lost costs nothing but time, be it idle or halfway.
func TestStringsOutliveTheirConnections(t *testing.T) {
	srv := redistest.New(t)
	c := opened(t, conn.Options{Addresses: []string{srv.Addr()}})
	var ids, want []string
	for i := range 2000 {
		ids = append(ids, fmt.Sprint(i))
		want = append(want, "true "+strings.Repeat(ids[i], 10_000/len(ids[i])))
		if _, err := srv.Do("SET", "k"+ids[i], want[i][len("true "):]); err != nil {
			t.Fatal(err)
		}
	}
	kill := func() {
		t.Helper()
		for _, addr := range plains(t, srv) {
			if _, err := srv.Do("CLIENT", "KILL", "ADDR", addr); err != nil {
				t.Fatal(err)
			}
		}
	}
	s := c.Strings(t.Context(), true)
	if all := got(t, s, ids); !slices.Equal(all, want) {
		t.Fatalf("%d strings", len(all))
	}
	kill()
	if all := got(t, s, ids); !slices.Equal(all, want) {
		t.Fatalf("after an idle connection was lost: %d strings", len(all))
	}
	var heard []int
	if err := s.MGet(t.Context(), "k", ids, func(i int, _ []byte) {
		if heard = append(heard, i); len(heard) == 1 {
			kill()
		}
	}); err != nil {
		t.Fatal(err)
	}
	again := slices.Index(heard[1:], 0) + 1
	if again == 0 || again == len(ids) || len(heard)-again != len(ids) {
		t.Errorf("of %d strings, %d were heard before the connection was lost and %d afterwards", len(ids), again, len(heard)-again)
	}
}

// The end of the context ends the reading, also of a server that is silent.
func TestStringsAndTheContext(t *testing.T) {
	srv := redistest.New(t)
	c := opened(t, conn.Options{Addresses: []string{srv.Addr()}})
	s := c.Strings(t.Context(), true)
	got(t, s, []string{"1"})
	if err := srv.Pause(); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	start := time.Now()
	err := s.MGet(ctx, "k", []string{"1"}, func(int, []byte) { t.Error("an answer") })
	if took := time.Since(start); !errors.Is(err, context.Canceled) || took > time.Second {
		t.Errorf("%v after %v", err, took)
	}
	if err := srv.Resume(); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if all := got(t, s, []string{"1", "2"}); len(all) != 2 {
			t.Errorf("afterwards: %q", all)
		}
	}
}
