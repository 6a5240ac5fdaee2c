package store_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/nacre-store/nacre/store/internal/redistest"
)

// composed starts a Redis with the command of docker-compose.yml and nothing
// else: its own defaults for the rest.
func composed(t *testing.T) *redistest.Server {
	t.Helper()
	compose, err := os.ReadFile("../docker-compose.yml")
	must(t, err)
	_, command, ok := strings.Cut(string(compose), "command: redis-server ")
	if !ok {
		t.Fatal("docker-compose.yml starts no redis-server")
	}
	command, _, _ = strings.Cut(command, "\n")
	empty := filepath.Join(t.TempDir(), "redis.conf")
	must(t, os.WriteFile(empty, nil, 0o600))
	return redistest.Run(t, redistest.Options{Config: empty, Args: strings.Fields(command)})
}

// A Redis of the compose file that is restarted, as an update does, loses
// nothing: neither what was acknowledged nor what the buffer has accepted.
func TestFaultRestart(t *testing.T) {
	trials := 2
	if long() {
		trials = 20
	}
	srv := composed(t)
	direct, buffer := openOn(t, srv), openOn(t, srv, buffering(10*time.Millisecond))
	acked, accepted := newTally(), newTally()
	for n := range trials {
		ctx, cancel := context.WithCancel(t.Context())
		var work sync.WaitGroup
		work.Go(func() { acked.hammer(ctx, t, direct, 2*time.Second, false) })
		work.Go(func() {
			for i := 0; ctx.Err() == nil; i++ {
				must(t, accepted.put(t.Context(), t, buffer, fmt.Sprint("P-buffered-", i%200)))
				if i%50 == 0 {
					time.Sleep(time.Millisecond)
				}
			}
		})
		time.Sleep(50 * time.Millisecond)
		restarted := errors.Join(srv.Stop(), srv.Restart())
		if restarted == nil {
			resumed(t, direct)
		}
		cancel()
		work.Wait()
		must(t, restarted)
		must(t, buffer.Flush(t.Context()))
		for what, l := range map[string]*tally{"acknowledged": acked, "accepted": accepted} {
			if lost, _ := l.check(t, direct); lost > 0 {
				t.Errorf("restart %d: %d rows lost versions that were %s", n, lost, what)
			}
		}
	}
	if n := direct.Stats().Restarts; n != int64(trials) {
		t.Errorf("%d restarts were seen, want %d", n, trials)
	}
}
