package store_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/faultproxy"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// watch collects the changes of a set in a goroutine until the test ends.
type watch[K comparable, V any] struct {
	t    testing.TB
	mu   sync.Mutex
	got  []store.Change[K, V]
	errs []error
	end  context.CancelFunc
	over chan struct{}
}

func watching[K comparable, V any](t testing.TB, s store.Set[K, V]) *watch[K, V] {
	ctx, cancel := context.WithCancel(context.Background())
	w := &watch[K, V]{t: t, end: cancel, over: make(chan struct{})}
	go func() {
		defer close(w.over)
		for c, err := range s.Watch(ctx) {
			w.mu.Lock()
			if err != nil {
				w.errs = append(w.errs, err)
			} else {
				w.got = append(w.got, c)
			}
			w.mu.Unlock()
		}
	}()
	t.Cleanup(w.stop)
	return w
}

func (w *watch[K, V]) stop() {
	w.end()
	<-w.over
}

func (w *watch[K, V]) text() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	var s []string
	for _, c := range w.got {
		s = append(s, strings.TrimSpace(fmt.Sprint(c.Kind, " ", c.ID)))
	}
	return s
}

// wait waits until exactly these changes have been told, and forgets them.
func (w *watch[K, V]) wait(want ...string) []store.Change[K, V] {
	w.t.Helper()
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(200 * time.Microsecond) {
		if slices.Equal(w.text(), want) {
			w.mu.Lock()
			defer w.mu.Unlock()
			got := w.got
			w.got = nil
			return got
		}
	}
	w.t.Fatalf("the changes are %q, want %q", w.text(), want)
	return nil
}

func TestWatch(t *testing.T) {
	d := open(t)
	o := d.another(t)
	ctx := t.Context()
	must(t, d.Positions.Put(ctx, position("P-1", trading.PositionSideLong)))
	must(t, d.Positions.Put(ctx, position("P-2", trading.PositionSideFlat)))

	all := watching(t, d.Positions.Set)
	openOnes := watching(t, d.Positions.Open())
	mine := watching(t, d.Positions.ByStrategy("EMACross-001"))
	nobody := watching(t, d.Positions.ByStrategy("nobody"))
	openOnes.wait("Present P-1", "Synced")
	soon(t, "all have begun", func() bool { return len(all.text()) == 3 && len(mine.text()) == 3 && len(nobody.text()) == 1 })
	for _, w := range []*watch[trading.PositionID, trading.Position]{all, mine} {
		got := w.text()
		slices.Sort(got)
		if !slices.Equal(got, []string{"Present P-1", "Present P-2", "Synced"}) {
			t.Errorf("the beginning is %q", got)
		}
		w.got = nil
	}
	nobody.wait("Synced")

	// Another client's write, our own, and what they say of old and new.
	must(t, o.Positions.Put(ctx, position("P-3", trading.PositionSideLong)))
	all.wait("Added P-3")
	openOnes.wait("Added P-3")
	mine.wait("Added P-3")
	must(t, d.Positions.Put(ctx, position("P-3", trading.PositionSideShort)))
	c := openOnes.wait("Updated P-3")[0]
	if c.Old.Side != trading.PositionSideLong || c.New.Side != trading.PositionSideShort {
		t.Errorf("from %s to %s", c.Old.Side, c.New.Side)
	}
	all.wait("Updated P-3")
	mine.wait("Updated P-3")

	// Leaving an index is no end of the row.
	must(t, o.Positions.Put(ctx, position("P-3", trading.PositionSideFlat)))
	c = openOnes.wait("Removed P-3")[0]
	if c.Old.Side != trading.PositionSideShort || c.New.Side != trading.PositionSideFlat {
		t.Errorf("from %s to %s", c.Old.Side, c.New.Side)
	}
	all.wait("Updated P-3")
	mine.wait("Updated P-3")
	must(t, d.Positions.Delete(ctx, "P-3"))
	c = all.wait("Removed P-3")[0]
	if c.Old.Side != trading.PositionSideFlat || c.New.PositionID != "" {
		t.Errorf("from %s to a row of %q", c.Old.Side, c.New.PositionID)
	}
	mine.wait("Removed P-3")

	// A write that changes nothing is no change; then all at once.
	must(t, o.Positions.Put(ctx, position("P-1", trading.PositionSideLong)))
	must(t, o.Positions.Put(ctx, position("P-4", trading.PositionSideLong)))
	openOnes.wait("Added P-4")
	all.wait("Added P-4")
	d.do(t, "FLUSHALL")
	soon(t, "all have gone", func() bool { return len(all.text()) == 3 && len(openOnes.text()) == 2 })
	for _, s := range all.text() {
		if !strings.HasPrefix(s, "Removed ") {
			t.Errorf("FLUSHALL: %s", s)
		}
	}
	if got := nobody.text(); len(got) != 0 {
		t.Errorf("of nobody's rows: %q", got)
	}
	for _, w := range []*watch[trading.PositionID, trading.Position]{all, openOnes, mine, nobody} {
		w.stop()
		if len(w.errs) != 1 || !errors.Is(w.errs[0], context.Canceled) {
			t.Errorf("errors %v, want one for the end of the context", w.errs)
		}
	}
}

// A row is told as Removed when it expires, also where Redis says nothing.
func TestWatchExpiry(t *testing.T) {
	d := openOn(t, redistest.New(t, "--enable-debug-command", "yes"), func(c *store.Config) {
		c.TTL = map[string]string{"position.closed": "200ms"}
	})
	d.do(t, "DEBUG", "SET-ACTIVE-EXPIRE", "0")
	o := d.another(t)
	w := watching(t, d.Positions.Set)
	w.wait("Synced")
	for _, by := range []*desk{d, o} {
		must(t, by.Positions.Put(t.Context(), position("P-1", trading.PositionSideFlat)))
		put := time.Now()
		w.wait("Added P-1")
		w.wait("Removed P-1")
		if late := time.Since(put); late < 190*time.Millisecond || late > 350*time.Millisecond {
			t.Errorf("told after %v", late)
		}
	}
	// A row that lives again is not told as gone.
	must(t, d.Positions.Put(t.Context(), position("P-1", trading.PositionSideFlat)))
	must(t, o.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
	time.Sleep(300 * time.Millisecond)
	w.stop()
	if got := w.text(); got[len(got)-1] == "Removed P-1" {
		t.Errorf("%q, and the row lives", got)
	}
}

func TestWatchEnds(t *testing.T) {
	d := open(t)
	must(t, d.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
	// By break, at each place.
	for n := range 3 {
		for range d.Positions.Watch(t.Context()) {
			if n--; n <= 0 {
				break
			}
		}
	}
	// By the context.
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	var last error
	for _, err := range d.Positions.Watch(ctx) {
		last = err
	}
	if !errors.Is(last, context.DeadlineExceeded) {
		t.Errorf("the last error is %v", last)
	}
	// By Close of the store, or of a tenant.
	s, err := d.Tenant("T", "")
	must(t, err)
	tenant, own := watching(t, trading.New(s).Positions.Set), watching(t, d.Positions.Set)
	tenant.wait("Synced")
	own.wait("Present P-1", "Synced")
	must(t, s.Close(t.Context()))
	<-tenant.over
	must(t, d.Positions.Put(t.Context(), position("P-2", trading.PositionSideLong)))
	own.wait("Added P-2")
	must(t, d.Close(t.Context()))
	<-own.over
	for _, w := range []*watch[trading.PositionID, trading.Position]{tenant, own} {
		if len(w.errs) != 1 || !errors.Is(w.errs[0], store.ErrClosed) {
			t.Errorf("errors %v, want ErrClosed", w.errs)
		}
	}
	for _, err := range d.Positions.Watch(t.Context()) {
		if !errors.Is(err, store.ErrClosed) {
			t.Errorf("Watch of a closed store: %v", err)
		}
	}
}

func TestWatchUnsupported(t *testing.T) {
	d := open(t, func(c *store.Config) { c.Cache = "off" })
	n := 0
	for _, err := range d.Positions.Watch(t.Context()) {
		if n++; !errors.Is(err, store.ErrUnsupported) || !strings.Contains(err.Error(), "configuration") {
			t.Errorf("without a cache: %v", err)
		}
	}
	d = open(t)
	must(t, d.Commit(t.Context(), func(tx *store.Tx) error {
		for _, err := range trading.New(tx).Positions.Watch(t.Context()) {
			if n++; !errors.Is(err, store.ErrUnsupported) {
				t.Errorf("in a Commit: %v", err)
			}
		}
		return nil
	}))
	if n != 2 {
		t.Errorf("%d errors, want 2", n)
	}
}

// A row that cannot be read is one error, and what was told of it stands.
func TestWatchCorruptRow(t *testing.T) {
	d := open(t)
	must(t, d.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
	w := watching(t, d.Positions.Set)
	w.wait("Present P-1", "Synced")
	d.do(t, "SET", "trader-position:P-1", "rubbish")
	soon(t, "the error", func() bool { w.mu.Lock(); defer w.mu.Unlock(); return len(w.errs) > 0 })
	if re, ok := errors.AsType[*store.RowError](w.errs[0]); !ok || re.ID != "P-1" {
		t.Errorf("%v", w.errs[0])
	}
	d.change(t, trading.PositionSideShort)
	if c := w.wait("Updated P-1")[0]; c.Old.Side != trading.PositionSideLong {
		t.Errorf("from %s", c.Old.Side)
	}
}

// However a connection is lost, the final state is told.
func TestWatchSurvivesLostConnections(t *testing.T) {
	for name, lose := range map[string]func(d *desk, p *faultproxy.Proxy) (restore func()){
		"killed": func(d *desk, p *faultproxy.Proxy) func() {
			d.do(t, "CLIENT", "KILL", "TYPE", "normal")
			return func() {}
		},
		"cut": func(d *desk, p *faultproxy.Proxy) func() { p.Cut(); return func() {} },
		"refused": func(d *desk, p *faultproxy.Proxy) func() {
			p.Refuse(true)
			p.Cut()
			return func() { p.Refuse(false) }
		},
		"frozen": func(d *desk, p *faultproxy.Proxy) func() { p.Freeze(); return p.Thaw },
		"frozen until it is given up": func(d *desk, p *faultproxy.Proxy) func() {
			p.Freeze()
			return func() { p.Cut(); p.Thaw() }
		},
	} {
		t.Run(name, func(t *testing.T) {
			d, p := behind(t, 200*time.Millisecond)
			direct := openOn(t, d.srv)
			must(t, d.Positions.Put(t.Context(), position("P-2", trading.PositionSideLong)))
			must(t, d.Positions.Put(t.Context(), position("P-3", trading.PositionSideLong)))
			w := watching(t, d.Positions.Open())
			soon(t, "it has begun", func() bool { return slices.Contains(w.text(), "Synced") })
			w.mu.Lock()
			w.got = nil
			w.mu.Unlock()
			restore := lose(d, p)
			for _, write := range []func() error{
				func() error { return direct.Positions.Delete(t.Context(), "P-1") },
				func() error { return direct.Positions.Put(t.Context(), position("P-2", trading.PositionSideShort)) },
				func() error { return direct.Positions.Put(t.Context(), position("P-3", trading.PositionSideFlat)) },
				func() error { return direct.Positions.Put(t.Context(), position("P-4", trading.PositionSideLong)) },
			} {
				soon(t, "the write", func() bool { return write() == nil }) // this connection may be killed as well
			}
			restore()
			soon(t, "all is told", func() bool { return len(w.text()) >= 4 })
			got := w.text()
			slices.Sort(got)
			if !slices.Equal(got, []string{"Added P-4", "Removed P-1", "Removed P-3", "Updated P-2"}) {
				t.Errorf("%q", got)
			}
		})
	}
}

// From the acknowledgement of a foreign write to the loop, 19 of 20 within 5 ms.
func TestWatchDelay(t *testing.T) {
	const n = 400
	d := open(t)
	raw, err := rueidis.NewClient(rueidis.ClientOption{InitAddress: []string{d.srv.Addr()}, DisableCache: true, ForceSingleClient: true})
	must(t, err)
	defer raw.Close()
	ctx, cancel := context.WithCancel(t.Context())
	told := make(chan time.Time)
	var loop sync.WaitGroup
	defer loop.Wait()
	defer cancel()
	loop.Go(func() {
		for c := range d.Currencies.Watch(ctx) {
			if now := time.Now(); c.Kind != store.Present && ctx.Err() == nil {
				told <- now
			}
		}
	})
	<-told // Synced
	var delays []time.Duration
	for i := range n {
		c := currency(i%10, int64(i+1))
		b, err := c.MarshalMsg(nil)
		must(t, err)
		must(t, raw.Do(ctx, raw.B().Set().Key("trader-currency:"+string(c.CurrencyCode)).Value(string(b)).Build()).Error())
		acked := time.Now()
		delays = append(delays, (<-told).Sub(acked))
	}
	slices.Sort(delays)
	t.Logf("p50 %v, p95 %v, p99 %v", delays[n/2], delays[n*95/100], delays[n*99/100])
	if p95 := delays[n*95/100]; p95 > 5*time.Millisecond {
		t.Errorf("p95 is %v, want 5 ms or less", p95)
	}
}

// Watchers of one table share the reading of its rows.
func TestWatchersShareAFeed(t *testing.T) {
	d := open(t)
	const n = 20
	var ws []*watch[trading.CurrencyCode, trading.Currency]
	for range n {
		ws = append(ws, watching(t, d.Currencies.Set))
	}
	for _, w := range ws {
		w.wait("Synced")
	}
	gets := func() (n int64) {
		for _, name := range []string{"get", "mget"} {
			_, rest, _ := strings.Cut(d.do(t, "INFO", "commandstats"), "cmdstat_"+name+":calls=")
			var calls int64
			_, _ = fmt.Sscanf(rest, "%d", &calls)
			n += calls
		}
		return n
	}
	before := gets()
	for v := range 50 {
		c := currency(1, int64(v+1))
		b, err := c.MarshalMsg(nil)
		must(t, err)
		d.do(t, "SET", "trader-currency:"+string(codes[1]), string(b))
		for _, w := range ws {
			w.wait([]string{"Updated " + string(codes[1]), "Added " + string(codes[1])}[min(1, max(0, 1-v))])
		}
	}
	if reads := gets() - before; reads > 2*50 {
		t.Errorf("%d reads for 50 changes and %d watchers", reads, n)
	}
}

// A loop that takes its time is told each row once, as it is in the end.
func TestWatchSlowLoop(t *testing.T) {
	d := open(t)
	must(t, d.Currencies.PutMany(t.Context(), func(yield func(trading.Currency) bool) {
		for k := range 1500 {
			if !yield(currency(k, 1)) {
				return
			}
		}
	}))
	rows := map[trading.CurrencyCode]int64{}
	updates := 0
	for c, err := range d.Currencies.Watch(t.Context()) {
		must(t, err)
		switch c.Kind {
		case store.Synced:
			if len(rows) != 1500 {
				t.Fatalf("%d rows at the beginning, want 1,500", len(rows))
			}
			for v := range 200 {
				must(t, d.Currencies.Put(t.Context(), currency(7, int64(v+2))))
			}
		case store.Updated:
			updates++
		}
		if c.Kind != store.Synced {
			rows[c.ID] = c.New.Precision
		}
		if rows[codes[7]] == 201 {
			break
		}
	}
	if updates > 3 {
		t.Errorf("%d updates were told of one row while the loop did not ask", updates)
	}
}
