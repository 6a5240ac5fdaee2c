package meta

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/internal/key"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

var (
	open   = Index{Name: "open", State: "open"}
	owner  = Index{Name: "by_owner", By: "owner"}
	kind   = Index{Name: "by_kind", By: "kind"}
	states = map[string]string{"NEW": "open", "DONE": "closed"}
)

func schema(fingerprint string, xs ...Index) Schema {
	return Schema{"work", fingerprint, []Table{{"job", states, xs}}}
}

// server is a Redis with a connection.
func server(t *testing.T) (*redistest.Server, *conn.Conn) {
	t.Helper()
	srv := redistest.New(t)
	c, err := conn.Open(t.Context(), conn.Options{Addresses: []string{srv.Addr()}, Timeout: time.Second})
	must(t, err)
	t.Cleanup(c.Close)
	return srv, c
}

func process(t *testing.T, c *conn.Conn, name string, s Schema) *Meta {
	t.Helper()
	ns, err := key.New("trader", "", "", false)
	must(t, err)
	return New(c, ns, "ids", []Schema{s}, name, nil)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func unbuilt(t *testing.T, m *Meta) string {
	t.Helper()
	xs, err := m.Unbuilt(t.Context(), "job")
	must(t, err)
	var names []string
	for _, x := range xs {
		names = append(names, x.Name)
	}
	return strings.Join(names, " ")
}

func want(t *testing.T, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// A Verify marks what it has built, once nobody is present that does not know
// it, and only if nobody was meanwhile.
func TestBuild(t *testing.T) {
	srv, c := server(t)
	ctx := t.Context()
	do := func(args ...string) {
		t.Helper()
		_, err := srv.Do(args...)
		must(t, err)
	}
	old := process(t, c, "old", schema("one", open, owner))
	must(t, old.Ready(ctx))
	do("ZADD", "trader-job.ids", "1", "J")
	m := process(t, c, "new", schema("two", open, owner, kind))
	want(t, unbuilt(t, m), "by_kind")
	want(t, unbuilt(t, old), "")

	build := func(between func()) string {
		t.Helper()
		b, early, err := m.Begin(ctx, "job", fmt.Sprint(time.Now()), []Index{kind})
		must(t, err)
		between()
		late, err := b.End(ctx)
		must(t, err)
		return fmt.Sprint(early, late)
	}
	nothing := func() {}
	leave := func(m *Meta) { must(t, c.Client.Do(ctx, m.Leave(c.Client)).Error()) }

	if why := build(nothing); !strings.Contains(why, "the process old work:one writes the table") {
		t.Errorf("beside an older process: %s", why)
	}
	// It was there when the building began, and what it wrote is not listed.
	if why := build(func() { leave(old) }); why == "map[] map[]" {
		t.Error("marked though an older process was there at the beginning")
	}
	want(t, unbuilt(t, m), "by_kind")
	// It comes and goes meanwhile.
	if why := build(func() { must(t, old.Register(ctx)); leave(old) }); !strings.Contains(why, "meanwhile") {
		t.Errorf("marked though an older process was there meanwhile: %s", why)
	}
	want(t, unbuilt(t, m), "by_kind")
	// One that knows it may come and go.
	peer := process(t, c, "peer", schema("three", open, owner, kind, Index{Name: "by_shift", By: "shift"}))
	want(t, build(func() { must(t, peer.Register(ctx)) }), "map[] map[]")
	want(t, unbuilt(t, m), "")
	want(t, unbuilt(t, peer), "by_shift")
	leave(peer)
	// Two at once: the later one counts.
	do("HDEL", "trader-nacre.meta", "built:job.by_kind")
	b1, _, err := m.Begin(ctx, "job", "a", []Index{kind})
	must(t, err)
	b2, _, err := peer.Begin(ctx, "job", "b", []Index{kind})
	must(t, err)
	if why, err := b1.End(ctx); err != nil || why["by_kind"] == nil {
		t.Errorf("the earlier Verify has marked: %v, %v", why, err)
	}
	if why, err := b2.End(ctx); err != nil || len(why) > 0 {
		t.Errorf("the later Verify has not marked: %v, %v", why, err)
	}
}

// A process that has not said for long that it is present may not write before
// it has said so again.
func TestTrustEnds(t *testing.T) {
	srv, c := server(t)
	m := process(t, c, "a", schema("one", open))
	must(t, m.Ready(t.Context()))
	asked := func() string {
		stats, err := srv.Do("INFO", "commandstats")
		must(t, err)
		_, rest, _ := strings.Cut(stats, "cmdstat_hgetall:calls=")
		n, _, _ := strings.Cut(rest, ",")
		return n
	}
	must(t, m.Ready(t.Context()))
	want(t, asked(), "1")
	m.until.Add(-int64(trust))
	must(t, m.Ready(t.Context()))
	want(t, asked(), "2")
	if left := time.Duration(m.until.Load() - clock()); left > trust || left < trust-5*time.Second || trust >= Lease {
		t.Errorf("it may write for %v of %v", left, Lease)
	}
	others, err := process(t, c, "b", schema("one", open)).Others(t.Context())
	if err != nil || !slices.Equal(others, []string{"a work:one"}) {
		t.Errorf("present: %v, %v", others, err)
	}
	// Those who ended without a word are forgotten.
	_, err = srv.Do("ZADD", "trader-nacre.present", fmt.Sprint(time.Now().Add(-Lease-time.Second).UnixMilli()), "a work:one")
	must(t, err)
	b := process(t, c, "b", schema("one", open))
	if others, err := b.Others(t.Context()); err != nil || len(others) != 0 {
		t.Errorf("present: %v, %v", others, err)
	}
	must(t, b.Ready(t.Context()))
	n, err := srv.Do("ZCARD", "trader-nacre.present")
	must(t, err)
	want(t, n, "1")
}

// Many writers of a tenant that was not asked yet ask once.
func TestReadyAtOnce(t *testing.T) {
	srv, c := server(t)
	m := process(t, c, "a", schema("one", open))
	done := make(chan error, 50)
	for range cap(done) {
		go func() { done <- m.Ready(t.Context()) }()
	}
	for range cap(done) {
		must(t, <-done)
	}
	stats, err := srv.Do("INFO", "commandstats")
	must(t, err)
	if !strings.Contains(stats, "cmdstat_hgetall:calls=1,") {
		t.Error(stats)
	}
	// One that waits for another's question is bounded by its own context.
	m.until.Store(0)
	must(t, srv.Pause())
	go func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Second)
		defer cancel()
		done <- m.Ready(ctx)
	}()
	for m.asking.Load() == nil {
		time.Sleep(time.Millisecond)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	start := time.Now()
	if err := m.Ready(ctx); !errors.Is(err, context.DeadlineExceeded) || conn.Classify(err) != conn.NotApplied {
		t.Errorf("%v", err)
	}
	if took := time.Since(start); took > 500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	must(t, srv.Resume())
	must(t, <-done)
}

// Writers that were forgotten while they wait for each other's question do not
// keep each other from asking again.
func TestReadyAgainAtOnce(t *testing.T) {
	_, c := server(t)
	m := process(t, c, "a", schema("one", open))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	var writers sync.WaitGroup
	for range 8 {
		writers.Go(func() {
			for range 500 {
				if err := m.Ready(ctx); err != nil {
					t.Errorf("a writer waits for ever: %v", err)
					return
				}
				m.Forget()
			}
		})
	}
	writers.Wait()
}
