package store_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/faultproxy"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// killed kills the server under load again and again and returns how many rows
// lost acknowledged versions, the age of the oldest of those at the kill, and
// the slowest resumption.
func killed(t *testing.T, d *desk, trials int, run time.Duration) (lost int, age, slowest time.Duration) {
	t.Helper()
	l := newTally()
	r := rand.New(rand.NewPCG(seed(t), 1))
	for range trials {
		ctx, cancel := context.WithCancel(t.Context())
		var at time.Time
		pause := run/2 + time.Duration(r.Int64N(int64(run/2)))
		go func() {
			time.Sleep(pause)
			at = time.Now()
			d.srv.Kill()
			cancel()
		}()
		l.hammer(ctx, t, d, 2*time.Second, true)
		<-ctx.Done()
		must(t, d.srv.Restart())
		slowest = max(slowest, resumed(t, d))
		n, oldest := l.check(t, d)
		if lost += n; n > 0 {
			age = max(age, at.Sub(oldest))
		}
	}
	acked, submitted := l.sum()
	t.Logf("%d kills, %d versions of %d submitted at the end, %d rows lost versions, the oldest %v before the kill; resumed within %v", trials, acked, submitted, lost, age, slowest)
	if slowest > 500*time.Millisecond {
		t.Errorf("writes went on %v after the port was open, want 0.5 s", slowest)
	}
	return lost, age, slowest
}

// Row 1 of the suite: nothing acknowledged is lost when Redis with
// appendfsync always is killed.
func TestFaultKillAlways(t *testing.T) {
	trials := 4
	if long() {
		trials = 20
	}
	d := openOn(t, redistest.New(t, "--appendfsync", "always"))
	if lost, _, _ := killed(t, d, trials, 150*time.Millisecond); lost > 0 {
		t.Errorf("%d rows lost acknowledged versions", lost)
	}
}

// Row 2: with everysec, as deploy/redis.conf has it, what is lost was acknowledged within the last two
// seconds, and nothing goes back further or is made up.
func TestFaultKillEverysec(t *testing.T) {
	trials := 1
	if long() {
		trials = 10
	}
	d := open(t)
	if _, age, _ := killed(t, d, trials, 1500*time.Millisecond); age > 2*time.Second {
		t.Errorf("a version is lost that was acknowledged %v before the kill", age)
	}
}

// Row 3: without a file everything is lost, the restart is reported, and the
// buffer sends again what was not acknowledged, and nothing else.
func TestFaultKillWithoutFile(t *testing.T) {
	d := openOn(t, inMemory(t), buffering(time.Hour))
	must(t, d.Positions.Put(t.Context(), position("P-acked", trading.PositionSideLong)))
	must(t, d.Flush(t.Context()))
	must(t, d.Positions.Put(t.Context(), position("P-pending", trading.PositionSideLong)))
	d.srv.Kill()
	must(t, d.srv.Restart())
	must(t, d.Flush(t.Context()))
	d.want(t, "0", "EXISTS", "trader-position:P-acked")
	d.want(t, "1", "EXISTS", "trader-position:P-pending")
	if n := d.Stats().Restarts; n != 1 {
		t.Errorf("%d restarts were seen, want 1", n)
	}
	if _, err := d.Positions.Get(t.Context(), "P-acked"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a row of before the restart: %v", err)
	}
}

// Row 12: a server that stands still for a while. Operations end at their
// deadline, their outcome is unknown, and nothing goes back when it goes on.
func TestFaultFrozenServer(t *testing.T) {
	d := open(t)
	l := newTally()
	for range 2 {
		l.hammer(after(t, 50*time.Millisecond), t, d, time.Second, false)
		must(t, d.srv.Pause())
		l.hammer(after(t, 600*time.Millisecond), t, d, 100*time.Millisecond, false)
		must(t, d.srv.Resume())
		l.hammer(after(t, 50*time.Millisecond), t, d, time.Second, false)
		if lost, _ := l.check(t, d); lost > 0 {
			t.Errorf("%d rows went back", lost)
		}
	}
}

func after(t *testing.T, d time.Duration) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}

// Row 13: Redis away for a while, with a buffered writer of 10,000 rows a
// second all the time.
func TestFaultOutage(t *testing.T) {
	away, rows := 3*time.Second, 2000
	if long() {
		away, rows = time.Minute, 50_000
	}
	srv := redistest.New(t)
	proxy := faultproxy.Run(t, srv.Addr())
	const entries, bytes = 100_000, 64 << 20
	d := openOn(t, srv, buffering(20*time.Millisecond, func(c *store.Config) {
		c.Database.Port, c.BufferEntries, c.BufferBytes = proxy.Port(), entries, bytes
	}))
	l := newTally()
	for i := range rows { // what the test itself takes
		l.of(fmt.Sprint("P-", i))
	}
	before := heap()
	proxy.Refuse(true)
	proxy.Cut()
	n := 0
	for start := time.Now(); time.Since(start) < away; {
		for range 200 {
			must(t, l.put(t.Context(), t, d, fmt.Sprint("P-", n%rows)))
			n++
		}
		time.Sleep(time.Until(start.Add(time.Duration(n) * 100 * time.Microsecond)))
		if b := d.Stats().Buffer; b.Entries > entries || b.Bytes > bytes {
			t.Fatalf("%+v", b)
		}
	}
	if dials := proxy.Accepted(); dials > 40*int(away/time.Second) {
		t.Errorf("%d connections were tried in %v", dials, away)
	}
	pending, grown := d.Stats().Buffer, heap()-before
	if grown > pending.Bytes*3/2+8<<20 {
		t.Errorf("the heap has grown by %d bytes, the buffer counts %d", grown, pending.Bytes)
	}
	proxy.Refuse(false)
	start := time.Now()
	for d.Stats().Buffer.Entries == pending.Entries && time.Since(start) < 10*time.Second {
		time.Sleep(time.Millisecond)
	}
	resumed, rest := time.Since(start), d.Stats().Buffer.Entries
	must(t, d.Flush(t.Context()))
	took := time.Since(start)
	t.Logf("%d writes accepted while Redis was away, %d rows pending in %d bytes (heap %d), resumed after %v, drained after %v: %.0f rows/s",
		n, pending.Entries, pending.Bytes, grown, resumed, took, float64(rest)/(took-resumed).Seconds())
	if lost, _ := l.check(t, d); lost > 0 {
		t.Errorf("%d rows are not as they were accepted last", lost)
	}
}

// Row 14: no memory. What could not be written was surely not applied, is
// tried again, and passes when there is room; deletes pass all the time.
func TestFaultOutOfMemory(t *testing.T) {
	srv := redistest.New(t)
	ctx := t.Context()
	d, b := openOn(t, srv), openOn(t, srv, buffering(5*time.Millisecond))
	for i := range 200 {
		must(t, d.Positions.Put(ctx, versioned(fmt.Sprint("P-", i), 1)))
	}
	must(t, d.Accounts.Put(ctx, trading.Account{AccountID: "A-1", AccountType: trading.AccountTypeMargin}))
	must(t, d.Accounts.Balances("A-1").Put(ctx, "USDT", trading.Balance{Currency: "USDT"}))
	must(t, d.Positions.AppendFills(ctx, versioned("P-151", 1), filled("E-1")))
	d.do(t, "CONFIG", "SET", "maxmemory", "1")
	short, cancel := context.WithTimeout(ctx, 200*time.Millisecond)
	defer cancel()
	if err := d.Positions.Put(short, versioned("P-0", 2)); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(err.Error(), "OOM") {
		t.Errorf("Put without memory: %v", err)
	}
	if err := d.Orders.AppendEvents(short, order("O-1", trading.OrderStatusFilled), filled("E-1")); !errors.Is(err, store.ErrUnavailable) {
		t.Errorf("Append without memory: %v", err)
	}
	d.want(t, "0", "EXISTS", "trader-order.events:O-1", "trader-order.seen_events:O-1")
	must(t, d.Positions.Delete(ctx, "P-1")) // what makes room passes
	must(t, d.Positions.Fills("P-151").Clear(ctx))
	must(t, d.Accounts.Balances("A-1").Delete(ctx, "USDT"))
	for i := range 100 {
		must(t, b.Positions.Put(ctx, versioned(fmt.Sprint("P-", i), 3)))
	}
	must(t, b.Positions.Delete(ctx, "P-150"))
	time.Sleep(100 * time.Millisecond)
	if st := b.Stats().Buffer; st.Entries < 100 || st.Failed > 0 || st.LastError == nil {
		t.Errorf("without memory: %+v", st)
	}
	waitFor(t, func() bool { return !b.Positions.Pending("P-150") }) // the delete passes
	d.do(t, "CONFIG", "SET", "maxmemory", "0")
	must(t, b.Flush(ctx))
	for i := range 100 {
		if p, err := d.Positions.Get(ctx, trading.PositionID(fmt.Sprint("P-", i)), store.Strong); err != nil || p.FillCount.Value != 3 {
			t.Errorf("P-%d: version %d, %v", i, p.FillCount.Value, err)
		}
	}
}

// Row 15: a master that is demoted under us, and comes back, gives no error.
func TestFaultReadOnly(t *testing.T) {
	srv := redistest.New(t)
	ctx := t.Context()
	d, b := openOn(t, srv), openOn(t, srv, buffering(5*time.Millisecond))
	d.do(t, "REPLICAOF", "127.0.0.1", "1")
	time.AfterFunc(300*time.Millisecond, func() { _, _ = srv.Do("REPLICAOF", "NO", "ONE") })
	must(t, b.Positions.Put(ctx, versioned("P-2", 1)))
	start := time.Now()
	must(t, d.Positions.Put(ctx, versioned("P-1", 1)))
	must(t, d.Orders.AppendEvents(ctx, counted(order("O-1", trading.OrderStatusFilled), 1), filled("E-1")))
	if took := time.Since(start); took < 250*time.Millisecond || took > 1500*time.Millisecond {
		t.Errorf("it took %v", took)
	}
	must(t, b.Flush(ctx))
	d.want(t, "3", "EXISTS", "trader-position:P-1", "trader-position:P-2", "trader-order:O-1")
}

// Row 20: a password that is changed, and rights that are taken away, fail at
// once with the cause. What is buffered waits for a password, and the server is
// asked seldom; a right that a write lacks is reported at once.
func TestFaultDenied(t *testing.T) {
	srv := redistest.New(t)
	ctx := t.Context()
	proxy := faultproxy.Run(t, srv.Addr())
	through := func(c *store.Config) { c.Database.Port, c.Database.Password = proxy.Port(), "old" }
	d := &desk{srv: srv}
	d.do(t, "CONFIG", "SET", "requirepass", "old")
	admin := srvWith(srv, "old")
	told := make(chan error, 10)
	d, b := openOn(t, srv, through), openOn(t, srv, through, buffering(5*time.Millisecond, func(c *store.Config) { c.OnError = func(err error) { told <- err } }))
	must(t, d.Positions.Put(ctx, versioned("P-1", 1)))

	admin(t, "CONFIG", "SET", "requirepass", "new")
	proxy.Cut()
	for range 3 { // the first may find the connection broken
		start := time.Now()
		err := d.Positions.Put(ctx, versioned("P-1", 2))
		if err != nil && time.Since(start) > limit(100*time.Millisecond, 500*time.Millisecond) {
			t.Errorf("it failed after %v", time.Since(start))
		}
		if errors.Is(err, store.ErrUnknownOutcome) {
			continue
		}
		if !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "WRONGPASS") {
			t.Errorf("Put with an old password: %v", err)
		}
	}
	must(t, b.Positions.Put(ctx, versioned("P-2", 1)))
	before := proxy.Accepted()
	time.Sleep(time.Second)
	if n := proxy.Accepted() - before; n > 12 { // the heartbeats of two stores among them
		t.Errorf("%d connections in a second", n)
	}
	srvWith(srv, "new")(t, "CONFIG", "SET", "requirepass", "old")
	must(t, b.Flush(ctx))
	must(t, d.Positions.Put(ctx, versioned("P-1", 3)))

	admin = srvWith(srv, "old")
	admin(t, "ACL", "SETUSER", "default", "-set")
	start := time.Now()
	if err := d.Positions.Put(ctx, versioned("P-1", 4)); !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "NOPERM") || time.Since(start) > limit(100*time.Millisecond, 500*time.Millisecond) {
		t.Errorf("Put without the right to SET: %v after %v", err, time.Since(start))
	}
	resent := b.Stats().Buffer.Resent
	must(t, b.Positions.Put(ctx, versioned("P-2", 2)))
	waitFor(t, func() bool { return b.Stats().Buffer.Failed == 1 }) // before a Flush
	if n := b.Stats().Buffer.Resent - resent; n > 0 {
		t.Errorf("what Redis refuses was sent again %d times before it was reported", n)
	}
	if err := <-told; !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "NOPERM") {
		t.Errorf("OnError: %v", err)
	}
	if err := b.Flush(ctx); !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), `"P-2"`) {
		t.Errorf("Flush: %v", err)
	}
	admin(t, "ACL", "SETUSER", "default", "+set")
	must(t, b.Positions.Put(ctx, versioned("P-2", 3)))
	must(t, b.Flush(ctx))
	if p, err := b.Positions.Get(ctx, "P-2", store.Strong); err != nil || p.FillCount.Value != 3 {
		t.Errorf("version %d, %v", p.FillCount.Value, err)
	}
}

// srvWith sends commands to a server whose password has changed since it was
// started.
func srvWith(srv *redistest.Server, password string) func(t *testing.T, args ...string) string {
	return func(t *testing.T, args ...string) string {
		t.Helper()
		r, err := srv.DoAs(password, args...)
		if err != nil {
			t.Fatalf("%s: %v", strings.Join(args, " "), err)
		}
		return r
	}
}

// Row 23: a row that the server does not take is given up with its cause, and
// nobody else waits for it.
func TestFaultPoison(t *testing.T) {
	errs := make(chan error, 10)
	d := open(t, buffering(5*time.Millisecond, func(c *store.Config) { c.OnError = func(err error) { errs <- err } }))
	ctx := t.Context()
	d.do(t, "HSET", "trader-position:P-poison", "of", "somebody")
	poison := versioned("P-poison", 1)
	must(t, d.Positions.Put(ctx, poison))
	for i := range 500 {
		must(t, d.Positions.Put(ctx, versioned(fmt.Sprint("P-", i), 1)))
	}
	start := time.Now()
	waitFor(t, func() bool { return d.Stats().Buffer.Entries <= 1 })
	others := time.Since(start)
	select {
	case err := <-errs:
		if !strings.Contains(err.Error(), `"P-poison"`) || !errors.Is(err, store.ErrRefused) {
			t.Errorf("%v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the poison is not reported")
	}
	t.Logf("the others were through after %v, the poison was given up after %v", others, time.Since(start))
	if others > 2*time.Second {
		t.Errorf("the others waited %v", others)
	}
	if err := d.Flush(ctx); err == nil || !strings.Contains(err.Error(), `"P-poison"`) {
		t.Errorf("Flush: %v", err)
	}
	must(t, d.Flush(ctx))
	if st := d.Stats().Buffer; st.Failed != 1 || st.Acked != 500 {
		t.Errorf("%+v", st)
	}
}
