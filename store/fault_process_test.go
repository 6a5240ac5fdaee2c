package store_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// bufferedEnv makes the test binary a buffered writer; it holds the port and
// the interval in ms.
const bufferedEnv = "STORE_TEST_BUFFERED"

const bufferedRows = 50

// runBuffered writes versions of rows as fast as it can, prints each that was
// accepted, and closes on SIGTERM.
func runBuffered(arg string) error {
	var port, interval int
	if _, err := fmt.Sscan(arg, &port, &interval); err != nil {
		return err
	}
	cfg := at(port)
	cfg.Schemas, cfg.BufferIntervalMS = []store.Schema{trading.Schema}, interval
	cfg.Logger = slog.New(slog.DiscardHandler)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := store.Open(ctx, cfg)
	if err != nil {
		return err
	}
	in := trading.New(s)
	for n := 0; ctx.Err() == nil; n++ {
		row, version := n%bufferedRows, int64(n/bufferedRows+1)
		if err := in.Positions.Put(context.Background(), versioned(fmt.Sprint("P-", row), version)); err != nil {
			return err
		}
		now := time.Now().UnixNano()
		fmt.Println(row, version, now, int64(s.Stats().Buffer.Oldest)) // one write: the parent knows of all but the last
		if n%20 == 0 {
			time.Sleep(time.Millisecond)
		}
	}
	closing, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return s.Close(closing)
}

// child runs a buffered writer until it is sent a signal and returns when it
// accepted each version of each row, how old its oldest pending write was then,
// and how long it took to end.
func child(t *testing.T, srv *redistest.Server, interval int, run time.Duration, sig os.Signal) (accepted [bufferedRows][]time.Time, pending, took time.Duration) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), bufferedEnv+"="+fmt.Sprint(srv.Port(), interval))
	cmd.Stderr = os.Stderr
	pipe, err := cmd.StdoutPipe()
	must(t, err)
	must(t, cmd.Start())
	var at time.Time
	sent := make(chan struct{})
	first := make(chan struct{}, 1)
	go func() {
		defer close(sent)
		<-first
		time.Sleep(run)
		at = time.Now()
		_ = cmd.Process.Signal(sig)
	}()
	in := bufio.NewReader(pipe)
	for {
		line, err := in.ReadString('\n')
		if err == io.EOF {
			break
		}
		var row, version int
		var when, oldest int64
		if _, err := fmt.Sscan(line, &row, &version, &when, &oldest); err != nil {
			break // cut off in the middle
		}
		pending = time.Duration(oldest)
		if len(accepted[row]) != version-1 {
			t.Fatalf("version %d of row %d behind %d", version, row, len(accepted[row]))
		}
		accepted[row] = append(accepted[row], time.Unix(0, when))
		select {
		case first <- struct{}{}:
		default:
		}
	}
	err = cmd.Wait()
	<-sent
	took = time.Since(at)
	if sig == syscall.SIGTERM && err != nil {
		t.Errorf("the process: %v", err)
	}
	return accepted, pending, took
}

// stored returns the version of each row.
func stored(t *testing.T, srv *redistest.Server) (versions [bufferedRows]int) {
	t.Helper()
	d := openOn(t, srv)
	for p, err := range d.Positions.All(t.Context()) {
		must(t, err)
		var row int
		if _, err := fmt.Sscanf(string(p.PositionID), "P-%d", &row); err != nil {
			t.Fatal(err)
		}
		versions[row] = int(p.FillCount.Value)
	}
	return versions
}

// Row 4: our process is killed. What is lost of each row is the end of what it
// accepted, and nothing of it is older than the oldest write that was pending,
// as Stats told: within the interval and one batch.
func TestFaultWriterKilled(t *testing.T) {
	trials := 2
	if long() {
		trials = 20
	}
	const interval = 20
	r := rand.New(rand.NewPCG(seed(t), 4))
	for range trials {
		srv := redistest.New(t)
		accepted, pending, _ := child(t, srv, interval, time.Duration(100+r.IntN(200))*time.Millisecond, syscall.SIGKILL)
		var end time.Time
		for _, versions := range accepted {
			if n := len(versions); n > 0 && versions[n-1].After(end) {
				end = versions[n-1]
			}
		}
		lost, all := 0, 0
		var oldest time.Duration
		for row, got := range stored(t, srv) {
			all += len(accepted[row])
			if got > len(accepted[row])+1 { // the last one may not have been printed
				t.Errorf("row %d is at version %d of %d", row, got, len(accepted[row]))
			}
			for v := got; v < len(accepted[row]); v++ {
				lost++
				oldest = max(oldest, end.Sub(accepted[row][v]))
			}
		}
		t.Logf("%d accepted, %d lost, the oldest accepted %v before the kill, and pending for %v; interval %d ms", all, lost, oldest, pending, interval)
		if oldest > pending+interval*time.Millisecond || pending > limit(3*interval*time.Millisecond, time.Second) || all < 200 {
			t.Errorf("of %d versions one is lost that was accepted %v before the kill; pending were the last %v", all, oldest, pending)
		}
	}
}

// Row 6: SIGTERM under load. Close drains, and nothing accepted is lost.
func TestFaultTerminated(t *testing.T) {
	trials := 2
	if long() {
		trials = 20
	}
	r := rand.New(rand.NewPCG(seed(t), 6))
	for range trials {
		srv := redistest.New(t)
		accepted, _, took := child(t, srv, 100, time.Duration(50+r.IntN(200))*time.Millisecond, syscall.SIGTERM)
		all := 0
		for row, got := range stored(t, srv) {
			all += len(accepted[row])
			if got != len(accepted[row]) {
				t.Errorf("row %d is at version %d, accepted was %d", row, got, len(accepted[row]))
			}
		}
		t.Logf("%d accepted, all stored, ended %v after SIGTERM", all, took)
		if all < 200 || took > limit(100*time.Millisecond+time.Second, 3*time.Second) {
			t.Errorf("%d accepted, ended after %v", all, took)
		}
	}
}
