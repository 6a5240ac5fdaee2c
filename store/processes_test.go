package store_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strconv"
	"testing"
	"time"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

// processEnv makes the test binary a reader and writer of its own: it holds
// the port, the number of the process and how many there are.
const processEnv = "STORE_TEST_PROCESS"

const (
	processRows   = 42 // divisible by the number of processes
	processMaxAge = 200 * time.Millisecond
)

// runProcess writes its share of the rows and reads all of them. It prints
//
//	w row version when        the version was acknowledged
//	s row version when        first seen; when the last read began that gave an older one
func runProcess(arg string) error {
	var port, me, of int
	if _, err := fmt.Sscan(arg, &port, &me, &of); err != nil {
		return err
	}
	cfg := at(port)
	cfg.Schemas, cfg.MaxAge = []store.Schema{trading.Schema}, processMaxAge
	cfg.OpenWait = 10 * time.Second // its connection may be killed before it is open
	cfg.Logger = slog.New(slog.DiscardHandler)
	ctx := context.Background()
	s, err := store.Open(ctx, cfg)
	if err != nil {
		return err
	}
	in := trading.New(s)
	out := bufio.NewWriter(os.Stdout)
	seen, older := make([]int64, processRows), make([]int64, processRows)
	for version, end := int64(1), time.Now().Add(2*time.Second); time.Now().Before(end); {
		for k := range processRows {
			began := time.Now().UnixNano()
			c, err := in.Currencies.Get(ctx, codes[k])
			if err != nil && !errors.Is(err, store.ErrNotFound) && !errors.Is(err, store.ErrUnavailable) {
				return err
			}
			switch v := c.Precision; {
			case err != nil:
			case v < seen[k]:
				return fmt.Errorf("process %d: row %d: %d after %d", me, k, v, seen[k])
			case v > seen[k]:
				fmt.Fprintln(out, "s", k, v, older[k])
				seen[k], older[k] = v, began
			default:
				older[k] = began
			}
		}
		k := int(version)*of%processRows + me
		err := in.Currencies.Put(ctx, currency(k, version))
		if err == nil {
			fmt.Fprintln(out, "w", k, version, time.Now().UnixNano())
			seen[k] = max(seen[k], version)
		} else if !errors.Is(err, store.ErrUnknownOutcome) && !errors.Is(err, store.ErrUnavailable) {
			return err
		}
		version++
		time.Sleep(200 * time.Microsecond)
	}
	st := s.Stats()
	if st.Cache.Hits == 0 || st.Reconnects == 0 {
		return fmt.Errorf("this proves nothing: %+v", st)
	}
	fmt.Fprintln(out, "h", st.Cache.Hits, st.Cache.Misses, 0)
	return errors.Join(out.Flush(), s.Close(ctx))
}

// Processes that write and read each other's rows see no row go back, and none
// that is older than MaxAge, while their connections are killed.
func TestProcesses(t *testing.T) {
	srv := redistest.New(t)
	const n = 3
	var outs [n]*bufio.Scanner
	var cmds [n]*exec.Cmd
	for i := range n {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), processEnv+"="+fmt.Sprint(srv.Port(), i, n))
		cmd.Stderr = os.Stderr
		pipe, err := cmd.StdoutPipe()
		must(t, err)
		must(t, cmd.Start())
		cmds[i], outs[i] = cmd, bufio.NewScanner(pipe)
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		for range 8 {
			time.Sleep(200 * time.Millisecond)
			_, _ = srv.Do("CLIENT", "KILL", "TYPE", "normal")
		}
	}()
	type version struct{ row, version int64 }
	acked := map[version]int64{}
	var sights [][3]int64
	var hits int64
	for i := range outs {
		for outs[i].Scan() {
			var kind string
			var a, b, c int64
			if _, err := fmt.Sscan(outs[i].Text(), &kind, &a, &b, &c); err != nil {
				t.Fatal(err)
			}
			switch kind {
			case "w":
				acked[version{a, b}] = c
			case "s":
				sights = append(sights, [3]int64{a, b, c})
			case "h":
				hits += a
			}
		}
		if err := cmds[i].Wait(); err != nil {
			t.Errorf("process %d: %v", i, err)
		}
	}
	<-done
	var worst time.Duration
	for _, s := range sights {
		if at, ok := acked[version{s[0], s[1]}]; ok {
			worst = max(worst, time.Duration(s[2]-at))
		}
	}
	if worst > processMaxAge {
		t.Errorf("an older row was given %v after the newer one had been acknowledged", worst)
	}
	if len(acked) < 100 || len(sights) < 100 || hits < 1000 {
		t.Errorf("this proves nothing: %d writes, %d sights, %d hits", len(acked), len(sights), hits)
	}
	t.Log(strconv.Itoa(len(acked))+" writes,", len(sights), "sights,", hits, "hits; the oldest row was", worst, "old")
}
