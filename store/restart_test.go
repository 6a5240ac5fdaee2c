package store_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// bookerEnv makes the test binary a booker: it holds the port.
const bookerEnv = "STORE_TEST_BOOKER"

// bookers is how many desks are booked at once.
const bookers = 4

// book books fills on a few desks until the context ends or something fails.
// Each version is one Commit of an order's event, a position and a balance, and
// one Append to another order. It prints
//
//	i desk version    it is about to be sent
//	c desk version    the Commit was acknowledged
//	a desk version    the Append was acknowledged
func book(ctx context.Context, s *store.Store, out io.Writer) {
	in := trading.New(s)
	var wg sync.WaitGroup
	var mu sync.Mutex
	say := func(what string, desk int, version int64) {
		mu.Lock()
		defer mu.Unlock()
		_, _ = fmt.Fprintln(out, what, desk, version)
	}
	for n := range bookers {
		wg.Go(func() {
			o, err := in.Orders.Get(ctx, bookedOrder("C", n, 0).ClientOrderID)
			version := int64(0)
			if err == nil {
				version = o.EventCount.Value
			}
			for ctx.Err() == nil {
				version++
				say("i", n, version)
				if s.Commit(ctx, func(tx *store.Tx) error { return bookedCommit(ctx, trading.New(tx), n, version) }) != nil {
					return
				}
				say("c", n, version)
				if in.Orders.AppendEvents(ctx, bookedOrder("A", n, version), bookedEvent(n, version)) != nil {
					return
				}
				say("a", n, version)
			}
		})
	}
	wg.Wait()
}

func bookedCommit(ctx context.Context, in trading.Tables, n int, version int64) error {
	p := position(fmt.Sprint("P-", n), trading.PositionSideLong)
	if version%3 == 0 {
		p.Side = trading.PositionSideFlat
	}
	p.Quantity, p.StrategyID = decimal.NewFromInt(version), fmt.Sprint("S-", version%2)
	account := trading.Account{AccountID: trading.AccountID(fmt.Sprint("A-", n)), AccountType: trading.AccountTypeMargin}
	balance := trading.Balance{Currency: "USDT", Total: decimal.NewFromInt(version)}
	for _, err := range []error{
		in.Orders.AppendEvents(ctx, bookedOrder("C", n, version), bookedEvent(n, version)),
		in.Positions.Put(ctx, p),
		in.Accounts.Put(ctx, account),
		in.Accounts.Balances(account.AccountID).Put(ctx, "USDT", balance),
	} {
		if err != nil {
			return err
		}
	}
	return nil
}

func bookedOrder(kind string, n int, version int64) trading.Order {
	o := order(fmt.Sprint(kind, "-", n), trading.OrderStatusAccepted)
	if version%4 == 0 {
		o.Status = trading.OrderStatusFilled
	}
	o.EventCount = store.Some(version)
	return o
}

func bookedEvent(n int, version int64) trading.OrderEvent {
	return event(fmt.Sprint(n, "-", version), trading.OrderEventTypeAccepted, trading.OrderStatusAccepted)
}

// runBooker is the process that is killed.
func runBooker(arg string) error {
	var port int
	if _, err := fmt.Sscan(arg, &port); err != nil {
		return err
	}
	cfg := at(port)
	cfg.Schemas, cfg.Logger = []store.Schema{trading.Schema}, slog.New(slog.DiscardHandler)
	s, err := store.Open(context.Background(), cfg)
	if err != nil {
		return err
	}
	book(context.Background(), s, os.Stdout)
	return nil
}

// A ledger is what the bookers have said.
type ledger struct {
	begun, committed, appended [bookers]int64
}

func (l *ledger) read(r io.Reader) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		var what string
		var desk int
		var version int64
		if n, _ := fmt.Sscan(lines.Text(), &what, &desk, &version); n != 3 {
			continue // cut off by the kill
		}
		switch what {
		case "i":
			l.begun[desk] = version
		case "c":
			l.committed[desk] = version
		case "a":
			l.appended[desk] = version
		}
	}
}

// check compares what is stored with what was acknowledged: at least that, and
// at most one step more, whose answer nobody has heard. It returns the versions.
func (l *ledger) check(t *testing.T, d *desk) {
	t.Helper()
	ctx := t.Context()
	orders := map[trading.ClientOrderID]trading.Order{}
	for _, o := range all(t, d.Orders.All(ctx)) {
		orders[o.ClientOrderID] = o
	}
	open := map[trading.ClientOrderID]bool{}
	for _, o := range all(t, d.Orders.Open().All(ctx)) {
		open[o.ClientOrderID] = true
	}
	// history checks an order with its events and returns its version.
	history := func(kind string, n int) int64 {
		want := bookedOrder(kind, n, 0)
		o := orders[want.ClientOrderID]
		version := o.EventCount.Value
		events := all(t, d.Orders.Events(want.ClientOrderID).All(ctx))
		for i, e := range events {
			if e.EventID != bookedEvent(n, int64(i+1)).EventID {
				t.Errorf("%s: event %q at %d", want.ClientOrderID, e.EventID, i+1)
			}
		}
		if int64(len(events)) != version || version > 0 && o.Status != bookedOrder(kind, n, version).Status {
			t.Errorf("%s: version %d with %d events, %s", want.ClientOrderID, version, len(events), o.Status)
		}
		if version > 0 && open[want.ClientOrderID] != (version%4 != 0) {
			t.Errorf("%s of version %d: open is %v", want.ClientOrderID, version, open[want.ClientOrderID])
		}
		return version
	}
	for n := range bookers {
		c, a := history("C", n), history("A", n)
		if c != l.committed[n] && c != l.begun[n] {
			t.Errorf("desk %d: version %d was committed and %d acknowledged, %d is stored", n, l.begun[n], l.committed[n], c)
		}
		if a != l.appended[n] && (a != l.begun[n] || c != a) {
			t.Errorf("desk %d: version %d was acknowledged, %d is stored", n, l.appended[n], a)
		}
		if c == 0 {
			continue
		}
		p, err := d.Positions.Get(ctx, trading.PositionID(fmt.Sprint("P-", n)))
		must(t, err)
		b, err := d.Accounts.Balances(trading.AccountID(fmt.Sprint("A-", n))).Get(ctx, "USDT")
		must(t, err)
		if p.Quantity.IntPart() != c || b.Total.IntPart() != c {
			t.Errorf("desk %d: order of version %d, position %s, balance %s", n, c, p.Quantity, b.Total)
		}
		l.begun[n], l.committed[n], l.appended[n] = c, c, a
	}
	for _, r := range []store.Report{verify(t, d.Orders.Rows, false), verify(t, d.Positions.Rows, false), verify(t, d.Accounts.Rows, false)} {
		if len(r.Missing)+len(r.Expiry)+len(r.Unbuilt)+r.Unreadable.Count > 0 {
			t.Errorf("after a restart: %s", r)
		}
	}
}

// catchUp brings the orders of the Appends to the version of the Commits, from
// which the next bookers go on.
func (l *ledger) catchUp(t *testing.T, d *desk) {
	t.Helper()
	for n := range bookers {
		for v := l.appended[n] + 1; v <= l.committed[n]; v++ {
			must(t, d.Orders.AppendEvents(t.Context(), bookedOrder("A", n, v), bookedEvent(n, v)))
			l.appended[n] = v
		}
	}
}

func restarts(n, inLong int) int {
	if long() {
		return inLong
	}
	return n
}

// A process that is killed at any point has lost nothing that was acknowledged
// to it, and what it was about to do is there wholly or not at all.
func TestProcessIsKilled(t *testing.T) {
	srv := redistest.New(t)
	r := rand.New(rand.NewPCG(seed(t), 7))
	var l ledger
	for range restarts(6, 150) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), bookerEnv+"="+fmt.Sprint(srv.Port()))
		cmd.Stderr = os.Stderr
		out, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		first := bufio.NewReader(out)
		_, err = first.Peek(1) // it is at work
		must(t, err)
		time.AfterFunc(time.Duration(r.IntN(60_000))*time.Microsecond, func() { _ = cmd.Process.Kill() })
		l.read(first)
		_ = cmd.Wait()
		d := openOn(t, srv)
		l.check(t, d)
		l.catchUp(t, d)
		must(t, d.Store.Close(t.Context()))
	}
	t.Logf("%v versions were committed", l.committed)
	if l.committed[0] < 5 {
		t.Error("this proves nothing")
	}
}

// A Redis that writes each command to its log before it answers loses nothing
// that was acknowledged when it is killed.
func TestRedisIsKilled(t *testing.T) {
	srv := redistest.New(t, "--appendfsync", "always")
	r := rand.New(rand.NewPCG(seed(t), 8))
	var l ledger
	for range restarts(4, 80) {
		d := openOn(t, srv)
		said, out := io.Pipe()
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
		go func() {
			book(ctx, d.Store, out)
			_ = out.Close()
		}()
		first := bufio.NewReader(said)
		_, err := first.Peek(1)
		must(t, err)
		time.AfterFunc(time.Duration(20_000+r.IntN(100_000))*time.Microsecond, func() {
			srv.Kill()
			cancel() // of what is not answered then, nothing is known
		})
		l.read(first)
		cancel()
		must(t, srv.Restart())
		closeStore(d.Store)
		d = openOn(t, srv)
		l.check(t, d)
		l.catchUp(t, d)
		must(t, d.Store.Close(t.Context()))
	}
	t.Logf("%v versions were committed", l.committed)
	if l.committed[0] < 5 {
		t.Error("this proves nothing")
	}
}

// A log whose end is missing, as after a loss of power, holds whole steps: of
// what was cut through nothing is left, in no index and in no history.
func TestRedisLogIsTorn(t *testing.T) {
	srv := redistest.New(t)
	d, ctx := openOn(t, srv), t.Context()
	const versions = 8
	for v := int64(1); v <= versions; v++ {
		must(t, d.Commit(ctx, func(tx *store.Tx) error { return bookedCommit(ctx, trading.New(tx), 0, v) }))
		must(t, d.Orders.AppendEvents(ctx, bookedOrder("A", 0, v), bookedEvent(0, v)))
	}
	must(t, d.Store.Close(ctx))
	must(t, srv.Stop())
	logs, err := filepath.Glob(filepath.Join(srv.Dir, "appendonlydir", "*.incr.aof"))
	must(t, err)
	if len(logs) != 1 {
		t.Fatalf("logs: %q", logs)
	}
	whole, err := os.ReadFile(logs[0])
	must(t, err)

	seen := map[int64]bool{}
	trials := restarts(12, 100)
	for n := range trials {
		cut := n * len(whole) / 2 / trials
		must(t, os.WriteFile(logs[0], whole[:len(whole)-cut], 0o600))
		must(t, srv.Restart())
		d := openOn(t, srv)
		var l ledger
		for kind, version := range map[string]*int64{"C": &l.committed[0], "A": &l.appended[0]} {
			o, err := d.Orders.Get(ctx, bookedOrder(kind, 0, 0).ClientOrderID)
			must(t, err)
			*version = o.EventCount.Value
		}
		l.begun = l.committed
		l.check(t, d)
		if c, a := l.committed[0], l.appended[0]; c != a && c != a+1 {
			t.Errorf("version %d of the Commit, %d of the Append behind it", c, a)
		}
		seen[l.committed[0]] = true
		must(t, d.Store.Close(ctx))
		must(t, srv.Stop())
	}
	if !seen[versions] || len(seen) < 3 {
		t.Errorf("versions seen: %v: this proves nothing", slices.Sorted(maps.Keys(seen)))
	}
}
