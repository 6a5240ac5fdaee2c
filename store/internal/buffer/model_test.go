package buffer

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"
	"pgregory.net/rapid"

	"github.com/nacre-store/nacre/store/internal/write"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// An action of the machine.
type action struct {
	op   *write.Op
	wait time.Duration // before it
	what string        // "", "flush", "settle"
}

// draw makes actions of which each is possible when it is its turn, which ref,
// a server without buffer and faults, knows.
func draw(t *rapid.T, ref *server) []action {
	var as []action
	n := rapid.IntRange(1, 60).Draw(t, "actions")
	for i := range n {
		id := fmt.Sprint("O-", rapid.IntRange(0, 2).Draw(t, "id"))
		row := fmt.Sprint("row", i)
		a := action{wait: time.Duration(rapid.SampledFrom([]int{0, 0, 0, 1, 6, 30}).Draw(t, "wait")) * time.Millisecond}
		_, there := ref.rows["trader-order:"+id]
		switch rapid.SampledFrom([]string{"put", "put", "append", "append", "append", "field", "field", "unfield", "delete", "clear", "tick", "flush", "settle"}).Draw(t, "kind") {
		case "put":
			a.op = put(id, row)
		case "append":
			list := rapid.SampledFrom([]string{"events", "events", "notes"}).Draw(t, "list")
			known := ref.lists["trader-order."+list+":"+id]
			var ids []string
			fresh := 0
			for j := range rapid.IntRange(1, 3).Draw(t, "elements") {
				if len(known) > 0 && rapid.IntRange(0, 3).Draw(t, "again") == 0 {
					ids = append(ids, known[rapid.IntRange(0, len(known)-1).Draw(t, "which")])
				} else {
					ids = append(ids, fmt.Sprint("E-", i, "-", j))
					fresh++
				}
			}
			count := int64(-1)
			switch rapid.IntRange(0, 5).Draw(t, "count") {
			case 0, 1, 2:
				count = int64(len(known) + fresh)
			case 3:
				count = int64(len(known) + fresh + 1) // a conflict, unless nothing is new
			}
			a.op = appended(id, row, list, count, ids...)
		case "field":
			if !there {
				continue
			}
			a.op = part(write.HashPut, id, "fees", field(fmt.Sprint("f", rapid.IntRange(0, 2).Draw(t, "field")), row))
		case "unfield":
			a.op = part(write.HashDelete, id, "fees", field(fmt.Sprint("f", rapid.IntRange(0, 2).Draw(t, "field")), ""))
		case "delete":
			a.op = del(id)
		case "clear":
			a.op = part(write.Clear, id, rapid.SampledFrom([]string{"events", "notes"}).Draw(t, "list"))
		case "tick":
			a.op = tick("X", fmt.Sprint(i, "a"), fmt.Sprint(i, "b"))
		case "flush":
			a.what = "flush"
		case "settle":
			a.what, a.op = "settle", put(id, "")
		}
		if a.op != nil && a.what == "" {
			_ = ref.apply([]write.Op{*a.op})
		}
		as = append(as, a)
	}
	return as
}

// Whatever is accepted and whatever breaks, what stands in the server at the
// end is what the writes would have left one after the other, and pending rows
// are what the last write said.
func TestBufferAgainstAModel(t *testing.T) {
	if os.Getenv("NACRE_LONG") != "" {
		t.Setenv("RAPID_CHECKS", "20000")
	}
	rapid.Check(t, func(rt *rapid.T) {
		ref, srv := newServer(), newServer()
		as := draw(rt, ref)
		faults := rapid.SliceOfN(rapid.SampledFrom([]string{"", "", "", "dial", "lost", "half", "late", "slow", "oom"}), 0, 40).Draw(rt, "faults")
		srv.fault = func(n int) fault {
			if n > len(faults) {
				return fault{}
			}
			switch faults[n-1] {
			case "dial":
				return fault{err: errDial}
			case "lost": // before it arrived
				return fault{err: errReset}
			case "half":
				return fault{err: errReset, applied: 1}
			case "late": // only the answer is lost
				return fault{err: errReset, applied: 1 << 20}
			case "slow":
				return fault{delay: 25 * time.Millisecond}
			case "oom":
				return fault{each: func(op *write.Op) error {
					if op.Kind == write.Delete {
						return nil
					}
					return &oom{}
				}}
			}
			return fault{}
		}
		entries := rapid.SampledFrom([]int{4, 20, 1000}).Draw(rt, "bound")
		var said []string
		complain := func(format string, args ...any) { said = append(said, fmt.Sprintf(format, args...)) }
		synctest.Test(t, func(t *testing.T) {
			b := of(srv, func(o *Options) { o.Entries, o.MaxBlock = entries, time.Hour })
			tenant := b.Tenant()
			ctx := context.Background()
			for _, a := range as {
				time.Sleep(a.wait)
				switch a.what {
				case "flush":
					if err := tenant.Drain(ctx); err != nil {
						complain("drain: %v", err)
					}
					if !tenant.Idle() {
						complain("pending after a drain")
					}
					continue
				case "settle":
					if err := tenant.Settle(ctx, keyOf(a.op)); err != nil {
						complain("settle: %v", err)
					}
					if tenant.Pending(keyOf(a.op)) {
						complain("pending after a settle")
					}
					continue
				}
				if err := tenant.Accept(ctx, a.op); err != nil {
					complain("accept: %v", err)
				}
				if raw, ok := tenant.Row(keyOf(a.op)); a.op.WritesRow() && ok && string(raw) != string(a.op.Row) {
					complain("%s shows %q, want %q", a.op.ID, raw, a.op.Row)
				}
				if s := b.Stats(); s.Entries > entries+8 || s.Entries < 0 || s.Bytes < 0 { // a step that waits is accepted whole
					complain("%d entries, %d bytes", s.Entries, s.Bytes)
				}
			}
			for _, err := range b.Close(ctx) {
				if !strings.Contains(err.Error(), write.ErrConflict.Error()) {
					complain("close: %v", err)
				}
			}
			if s := b.Stats(); s.Entries != 0 || s.Bytes != 0 || s.Oldest != 0 {
				complain("%+v after Close", s)
			}
		})
		said = append(said, srv.failed...)
		if got, want := srv.state(), ref.state(); got != want {
			said = append(said, "stored:\n"+got+"\nwant:\n"+want)
		}
		if len(said) > 0 {
			rt.Fatalf("%s\nfaults %q\n%s", strings.Join(slices.Compact(said), "\n"), faults, story(as))
		}
	})
}

func story(as []action) string {
	var b strings.Builder
	kinds := []string{"Put", "Delete", "Append", "Clear", "HashPut", "HashDelete", "SeriesAppend"}
	for _, a := range as {
		fmt.Fprintf(&b, "%v %s", a.wait, a.what)
		if a.op != nil {
			fmt.Fprintf(&b, " %s %s %q %s count %d", kinds[a.op.Kind], a.op.ID, a.op.Row, a.op.Part, a.op.Count)
			for _, e := range a.op.Elems {
				fmt.Fprintf(&b, " %s=%s", e.ID, e.Value)
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
