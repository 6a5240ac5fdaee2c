package buffer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/internal/write"
)

// What fails for good fails alone.
func TestFailures(t *testing.T) {
	var told []string
	change := func(o *Options) { o.OnError = func(err error) { told = append(told, err.Error()) } }
	bubble(t, change, func(t *testing.T, b *Buffer, tenant *Tenant, s *server) {
		accept(t, tenant,
			appended("O-1", "1", "events", 1, "E-1"), appended("O-1", "2", "events", 7, "E-2"), appended("O-1", "3", "events", 2, "E-3"), // 7 is no count
			del("O-2"), part(write.HashPut, "O-2", "fees", field("a", "1")), // of no row
			put("O-3", "fine"))
		if err := tenant.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		errs := tenant.TakeErrors()
		if len(errs) != 2 || !slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, write.ErrConflict) }) || !slices.ContainsFunc(errs, func(err error) bool { return errors.Is(err, write.ErrAbsent) }) {
			t.Errorf("errors %v", errs)
		}
		slices.Sort(told)
		if len(told) != 2 || !strings.HasPrefix(told[0], "O-1") || !strings.HasPrefix(told[1], "O-2") {
			t.Errorf("told %q", told)
		}
		wantRow(t, s, "O-1", "3")
		wantRow(t, s, "O-3", "fine")
		if st := b.Stats(); st.Failed != 2 || st.Entries != 0 {
			t.Errorf("%+v", st)
		}
	})
}

// A step that breaks every connection on which it is sent is found and given
// up, and the others go on.
func TestPoison(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		var told []error
		b := of(s, func(o *Options) {
			o.OnError = func(err error) { told = append(told, err) }
			send := o.Send
			o.Send = func(ctx context.Context, steps []write.Batch) [][]write.Result {
				at := slices.IndexFunc(steps, func(b write.Batch) bool { return b.Ops[0].ID == "poison" })
				s.mu.Lock()
				s.fault = func(int) fault { return fault{} }
				if at >= 0 {
					s.fault = func(int) fault { return fault{err: errReset, applied: at} }
				}
				s.mu.Unlock()
				return send(ctx, steps)
			}
		})
		tenant := b.Tenant()
		accept(t, tenant, put("poison", "x"))
		for i := range 1000 {
			accept(t, tenant, put(fmt.Sprint(i), fmt.Sprint(i)))
		}
		start := time.Now()
		for i := range 100 { // life goes on
			time.Sleep(20 * time.Millisecond)
			accept(t, tenant, put(fmt.Sprint("later", i), "x"))
		}
		synctest.Wait()
		if len(told) != 1 || !strings.HasPrefix(told[0].Error(), "poison") || conn.Classify(told[0]) != conn.Unknown {
			t.Errorf("told %v after %v", told, time.Since(start))
		}
		for i := range 1000 {
			wantRow(t, s, fmt.Sprint(i), fmt.Sprint(i))
		}
		if errs := b.Close(t.Context()); len(errs) != 1 {
			t.Errorf("Close: %v", errs)
		}
		wantRow(t, s, "later99", "x")
	})
}

// Close gives up at its deadline and says of every write what became of it.
func TestCloseNamesWhatIsLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newServer()
		told := 0
		b := of(s, func(o *Options) { o.OnError = func(error) { told++ } })
		tenant := b.Tenant()
		s.fault = func(n int) fault {
			if n == 1 {
				return fault{delay: 20 * time.Millisecond, err: errReset, applied: 1}
			}
			return fault{err: errDial}
		}
		accept(t, tenant, put("sent", "x"))
		time.Sleep(15 * time.Millisecond)
		accept(t, tenant, put("never", "x"))
		time.Sleep(time.Second)
		ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer cancel()
		start := time.Now()
		errs := b.Close(ctx)
		if d := time.Since(start); d != 500*time.Millisecond {
			t.Errorf("Close took %v", d)
		}
		if len(errs) != 2 || told != 2 {
			t.Fatalf("Close: %v; told %d", errs, told)
		}
		for _, err := range errs {
			want := conn.NotApplied
			if strings.HasPrefix(err.Error(), "sent") {
				want = conn.Unknown
			}
			if conn.Classify(err) != want {
				t.Errorf("%v is of class %d, want %d", err, conn.Classify(err), want)
			}
		}
		if err := tenant.Accept(t.Context(), put("O-1", "x")); !errors.Is(err, ErrClosed) {
			t.Errorf("Accept after Close: %v", err)
		}
		if errs := b.Close(ctx); errs != nil {
			t.Errorf("Close again: %v", errs)
		}
	})
}
