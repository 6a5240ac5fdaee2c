package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/faultproxy"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// booked writes one of everything, through the buffer, for a number that counts
// up. What it leaves can be counted.
func booked(ctx context.Context, t *testing.T, d *desk, n int) {
	t.Helper()
	must(t, d.Orders.AppendEvents(ctx, counted(order("O-1", trading.OrderStatusAccepted), int64(n+1)), filled(fmt.Sprint("E-", n))))
	must(t, d.Positions.Put(ctx, versioned("P-1", int64(n))))
	must(t, d.Accounts.Balances("A-1").Put(ctx, "USDT", trading.Balance{Currency: "USDT", Total: dec(fmt.Sprint(n))}))
	must(t, d.QuoteTicks.Append(ctx, "X.Y", trading.QuoteTick{TsEvent: store.Timestamp(n + 1)}))
	if n%3 == 0 {
		must(t, d.Positions.Delete(ctx, "P-2"))
	}
	must(t, d.Positions.AppendFills(ctx, versioned("P-2", int64(n%3+1)), filled(fmt.Sprint("F-", n))))
}

// wantBooked checks that n numbers were booked, each exactly once and in order.
func wantBooked(t *testing.T, d *desk, n int) {
	t.Helper()
	ctx := t.Context()
	var want, got []string
	for i := range n {
		want = append(want, fmt.Sprint("E-", i))
	}
	for _, e := range all(t, d.Orders.Events("O-1").All(ctx)) {
		got = append(got, e.EventID)
	}
	if !slices.Equal(got, want) {
		t.Errorf("%d events %v, want %d", len(got), got, n)
	}
	if p, err := d.Positions.Get(ctx, "P-1", store.Strong); err != nil || p.FillCount.Value != int64(n-1) {
		t.Errorf("the row is at version %d, %v, want %d", p.FillCount.Value, err, n-1)
	}
	if b, err := d.Accounts.Balances("A-1").Get(ctx, "USDT"); err != nil || b.Total.String() != fmt.Sprint(n-1) {
		t.Errorf("balance %v, %v", b.Total, err)
	}
	ticks := all(t, d.QuoteTicks.All(ctx, "X.Y"))
	for i, tick := range ticks {
		if tick.TsEvent != store.Timestamp(i+1) {
			t.Errorf("tick %d is %d: one is missing or there twice", i, tick.TsEvent)
			break
		}
	}
	if len(ticks) != n {
		t.Errorf("%d ticks, want %d", len(ticks), n)
	}
	if fills := all(t, d.Positions.Fills("P-2").All(ctx)); len(fills) != (n-1)%3+1 || fills[len(fills)-1].EventID != fmt.Sprint("F-", n-1) {
		t.Errorf("fills of the last life: %v", fills)
	}
}

// through opens a buffered store through a proxy, with an account to book on.
func through(t *testing.T, change ...func(*store.Config)) (*desk, *faultproxy.Proxy) {
	t.Helper()
	srv := redistest.New(t)
	proxy := faultproxy.Run(t, srv.Addr())
	d := openOn(t, srv, append([]func(*store.Config){func(c *store.Config) { c.Database.Port = proxy.Port() }}, change...)...)
	must(t, d.Accounts.Put(t.Context(), trading.Account{AccountID: "A-1", AccountType: trading.AccountTypeCash}))
	must(t, d.Flush(t.Context()))
	return d, proxy
}

// Row 7: the connection is cut after every so many bytes, in either direction,
// and in the long form after every single one. Everything accepted is there,
// exactly once.
func TestFaultCutAfterBytes(t *testing.T) {
	for _, c := range []struct {
		dir      faultproxy.Direction
		most, by int
	}{{faultproxy.Up, 9000, 311}, {faultproxy.Down, 1500, 53}} {
		if long() {
			c.by = 1
		}
		d, proxy := through(t, buffering(time.Millisecond))
		n := 0
		for at := 1; at < c.most; at += c.by {
			proxy.CutAfter(c.dir, at)
			booked(t.Context(), t, d, n)
			n++
			must(t, d.Flush(t.Context()))
		}
		wantBooked(t, d, n)
		if st := d.Stats(); st.Buffer.Resent < int64(n/4) || st.Buffer.Failed > 0 || st.Reconnects == 0 {
			t.Errorf("%d bookings: %+v", n, st)
		}
	}
}

// Row 8: the request arrives, the answer does not. It is sent again, and has no
// second effect.
func TestFaultAnswerLost(t *testing.T) {
	d, proxy := through(t, buffering(time.Millisecond))
	const n = 12
	for i := range n {
		proxy.Swallow(faultproxy.Down, true)
		booked(t.Context(), t, d, i)
		time.Sleep(8 * time.Millisecond) // sent and carried out
		proxy.Cut()
		proxy.Swallow(faultproxy.Down, false)
		must(t, d.Flush(t.Context()))
	}
	wantBooked(t, d, n)
	if st := d.Stats().Buffer; st.Resent < n || st.Failed > 0 {
		t.Errorf("%+v", st)
	}
}

// The same without a buffer: an append is sent again by itself, everything
// else says that its outcome is unknown.
func TestFaultAnswerLostSync(t *testing.T) {
	d, proxy := through(t)
	ctx := t.Context()
	events := 0
	for i := range 10 {
		lose := func() { // of what is sent next; a new connection's first write would ask something else before
			must(t, d.Positions.Put(ctx, versioned("P-other", 1)))
			proxy.Swallow(faultproxy.Down, true)
			time.AfterFunc(10*time.Millisecond, func() { proxy.Cut(); proxy.Swallow(faultproxy.Down, false) })
		}
		lose()
		must(t, d.Orders.AppendEvents(ctx, counted(order("O-1", trading.OrderStatusAccepted), int64(i+1)), filled(fmt.Sprint("E-", i))))
		events++
		lose()
		if err := d.Positions.Put(ctx, versioned("P-1", int64(i))); !errors.Is(err, store.ErrUnknownOutcome) {
			t.Errorf("Put without an answer: %v", err)
		}
		if p, err := d.Positions.Get(ctx, "P-1", store.Strong); err != nil || p.FillCount.Value != int64(i) {
			t.Errorf("version %d, %v", p.FillCount.Value, err)
		}
	}
	if n, err := d.Orders.Events("O-1").Len(ctx); n != events || err != nil {
		t.Errorf("%d events, %v, want %d", n, err, events)
	}
}

// Row 10: a slow link makes operations as slow as itself and not slower, and
// does not slow acceptance down.
func TestFaultSlowLink(t *testing.T) {
	d, proxy := through(t)
	b := openOn(t, d.srv, buffering(5*time.Millisecond, func(c *store.Config) { c.Database.Port = proxy.Port() }))
	proxy.Delay(faultproxy.Up, 10*time.Millisecond)
	proxy.Delay(faultproxy.Down, 10*time.Millisecond)
	var sync, accept []time.Duration
	for i := range 30 {
		start := time.Now()
		must(t, d.Positions.Put(t.Context(), versioned("P-1", int64(i))))
		sync = append(sync, time.Since(start))
		start = time.Now()
		must(t, b.Positions.Put(t.Context(), versioned("P-2", int64(i))))
		accept = append(accept, time.Since(start))
	}
	must(t, b.Flush(t.Context()))
	slices.Sort(sync)
	slices.Sort(accept)
	t.Logf("sync Put p50 %v, p90 %v; accepted p50 %v, p90 %v", sync[15], sync[27], accept[15], accept[27])
	if sync[15] < 20*time.Millisecond || sync[15] > 40*time.Millisecond || accept[15] > 2*time.Millisecond {
		t.Errorf("sync %v, accepted %v over a link of 20 ms", sync[15], accept[15])
	}
}

// Row 10: bytes that arrive one at a time, and a link of a kilobyte a second.
// What is sent is understood, and an operation is over when its context is.
func TestFaultSlicedLink(t *testing.T) {
	d, proxy := through(t, buffering(time.Millisecond))
	for _, dir := range []faultproxy.Direction{faultproxy.Up, faultproxy.Down} {
		proxy.Slice(dir, 1, 0)
	}
	const n = 5
	for i := range n {
		booked(t.Context(), t, d, i)
		must(t, d.Flush(t.Context()))
	}
	wantBooked(t, d, n)
	if st := d.Stats(); st.Buffer.Resent > 0 || st.Buffer.Failed > 0 || st.Reconnects > 0 {
		t.Errorf("%+v", st)
	}
	proxy.Slice(faultproxy.Down, 0, 0)
	proxy.Slice(faultproxy.Up, 100, 100*time.Millisecond)
	accept := time.Now()
	booked(t.Context(), t, d, n)
	if took := time.Since(accept); took > limit(50*time.Millisecond, time.Second) {
		t.Errorf("acceptance took %v", took)
	}
	ended := time.Now()
	if err := d.Flush(after(t, 200*time.Millisecond)); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a flush of more than the link takes in its time: %v", err)
	}
	if took := time.Since(ended); took > limit(250*time.Millisecond, time.Second) {
		t.Errorf("it ended after %v", took)
	}
	proxy.Slice(faultproxy.Up, 0, 0)
	must(t, d.Flush(t.Context()))
	wantBooked(t, d, n+1)
}

// Row 11: a link that takes everything and answers nothing. Operations end at
// their deadline and go on at once when it is back.
func TestFaultBlackhole(t *testing.T) {
	d, proxy := through(t)
	proxy.Freeze()
	for name, do := range map[string]func(ctx context.Context) error{
		"Put": func(ctx context.Context) error { return d.Positions.Put(ctx, versioned("P-1", 1)) },
		"Get": func(ctx context.Context) error { _, err := d.Positions.Get(ctx, "P-9", store.Strong); return err },
		"Commit": func(ctx context.Context) error {
			return d.Commit(ctx, func(tx *store.Tx) error {
				return trading.New(tx).Positions.Put(ctx, versioned("P-1", 2))
			})
		},
	} {
		start := time.Now()
		err := do(after(t, 150*time.Millisecond))
		if took := time.Since(start); took < 100*time.Millisecond || took > limit(200*time.Millisecond, time.Second) || !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s ended after %v: %v", name, took, err)
		}
	}
	proxy.Thaw()
	if took := resumed(t, d); took > limit(100*time.Millisecond, time.Second) {
		t.Errorf("it went on after %v", took)
	}
}

// Row 22: whatever becomes of the stored bytes, a reader gets a row or a
// *RowError, and never a wrong key's row, a panic or a silence.
func TestFaultCorruptBytes(t *testing.T) {
	d := open(t)
	ctx := t.Context()
	must(t, d.Positions.Put(ctx, versioned("P-1", 7)))
	golden := []byte(d.do(t, "GET", "trader-position:P-1"))
	step := 3
	if long() {
		step = 1
	}
	bad := 0
	try := func(raw []byte) {
		d.do(t, "SET", "trader-position:P-1", string(raw))
		p, err := d.Positions.Get(ctx, "P-1", store.Strong)
		var re *store.RowError
		switch {
		case err == nil && p.PositionID != "P-1":
			t.Errorf("row %q under the key of P-1", p.PositionID)
		case err != nil && (!errors.As(err, &re) || re.Table != "position" || re.ID != "P-1"):
			t.Errorf("%v", err)
		case err != nil:
			bad++
		}
		for _, err := range d.Positions.All(ctx) {
			if err != nil && !errors.As(err, &re) {
				t.Errorf("All: %v", err)
			}
		}
	}
	for i := 0; i < len(golden); i += step {
		for _, flip := range []byte{0x01, 0x80, 0xff} {
			raw := slices.Clone(golden)
			raw[i] ^= flip
			try(raw)
		}
		try(golden[:i])
	}
	if bad < len(golden)/step {
		t.Errorf("%d of some %d corrupt rows were found out", bad, 4*len(golden)/step)
	}
	d.do(t, "DEL", "trader-position:P-1")
	d.do(t, "HSET", "trader-position:P-1", "a", "b")
	if _, err := d.Positions.Get(ctx, "P-1", store.Strong); !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "WRONGTYPE") {
		t.Errorf("Get of a hash: %v", err)
	}
}

// Row 24: a row's life is counted from its acceptance. What waited longer than
// that does not rise again, and trying again does not prolong it.
func TestFaultExpiryWhileWaiting(t *testing.T) {
	d, proxy := through(t, buffering(time.Millisecond, func(c *store.Config) {
		c.TTL = map[string]string{"position.closed": "600ms", "instrument": "600ms"}
	}))
	ctx := t.Context()
	dead, living := position("P-dead", trading.PositionSideFlat), position("P-living", trading.PositionSideFlat)
	proxy.Refuse(true)
	proxy.Cut()
	must(t, d.Positions.Put(ctx, dead))
	must(t, d.Instruments.Put(ctx, trading.Instrument{InstrumentID: "I-dead.X"}))
	time.Sleep(500 * time.Millisecond)
	accepted := time.Now()
	must(t, d.Positions.Put(ctx, living))
	time.Sleep(200 * time.Millisecond)
	proxy.Refuse(false)
	must(t, d.Flush(ctx))
	d.want(t, "0", "EXISTS", "trader-position:P-dead", "trader-instrument:I-dead.X")
	var at int64
	if _, err := fmt.Sscan(d.do(t, "PEXPIRETIME", "trader-position:P-living"), &at); err != nil {
		t.Fatal(err)
	}
	if off := time.UnixMilli(at).Sub(accepted.Add(600 * time.Millisecond)).Abs(); off > 100*time.Millisecond {
		t.Errorf("it expires %v off", off)
	}
}
