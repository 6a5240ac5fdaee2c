package docs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/shopspring/decimal"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/storetest"
)

// This file shows what operations.md says about a store on a server in trouble.

// TestLoadingServer uses a server that still reads its file: a snapshot of
// 1,000 keys that takes 1 ms a key to load, and looks at its clients after each.
func TestLoadingServer(t *testing.T) {
	redis := storetest.Run(t, storetest.ServerOptions{Args: []string{
		"--key-load-delay", "1000", "--loading-process-events-interval-bytes", "1024", "--rdbcompression", "no", "--appendonly", "no",
	}})
	tr := openOn(t, redis, store.Config{})
	put(t, tr.Positions.Put(t.Context(), position))
	tr.do("EVAL", "for i = 1, 1000 do redis.call('SET', i, ('x'):rep(2048)) end", "0")
	put(t, redis.Stop())
	restarted := make(chan error, 1)
	go func() { restarted <- redis.Restart() }()
	for {
		ctx, cancel := context.WithTimeout(t.Context(), 400*time.Millisecond)
		_, err := tr.Positions.Get(ctx, position.PositionID, store.Strong)
		cancel()
		if err == nil {
			t.Fatal("never heard that the server is loading")
		}
		if strings.Contains(err.Error(), "LOADING") {
			if !errors.Is(err, store.ErrUnavailable) {
				t.Errorf("Get: %v, want it to be ErrUnavailable", err)
			}
			break
		}
	}
	// With time enough, the same call waits until the server is ready.
	if _, err := tr.Positions.Get(t.Context(), position.PositionID, store.Strong); err != nil {
		t.Errorf("Get: %v", err)
	}
	put(t, <-restarted)
}

// TestLookingAtTheData runs the page's commands on a store that writes JSON.
func TestLookingAtTheData(t *testing.T) {
	_, block, _ := strings.Cut(read(t, "operations.md"), "## Looking at the data")
	_, block, _ = strings.Cut(block, "```\n")
	block, _, _ = strings.Cut(block, "```")
	tr := openTrader(t, store.Config{TraderID: "TRADER-001", Encoding: "json"})
	ctx, o, p := t.Context(), order, position
	o.TsInit, p.PositionID = 1_767_052_800_000_000_001, "P-1"
	put(t, tr.Orders.AppendEvents(ctx, o,
		trading.OrderEvent{EventID: "e-1", Status: trading.OrderStatusSubmitted}, trading.OrderEvent{EventID: "e-2", Status: o.Status}))
	put(t, tr.Accounts.Put(ctx, account))
	put(t, tr.Accounts.Balances(account.AccountID).Put(ctx, "USDT", trading.Balance{Currency: "USDT", Total: decimal.RequireFromString("1.10")}))
	put(t, tr.QuoteTicks.Append(ctx, o.InstrumentID, trading.QuoteTick{BidPrice: o.Quantity}))
	put(t, tr.Positions.Put(ctx, p))

	script := fmt.Sprintf("PATH=$PATH:%s\nredis-cli() { command redis-cli -p %d \"$@\"; }\n%s",
		filepath.Dir(os.Getenv("NACRE_REDIS_SERVER")), tr.redis.Port(), block)
	out, err := exec.Command("bash", "-euo", "pipefail", "-c", script).CombinedOutput()
	const want = `trader-TRADER-001-order:O-20251230-001
O-20251230-001
ACCEPTED
0.5
1767052800000000001
["e-1","SUBMITTED"]
["e-2","ACCEPTED"]
1.10
0.5
-1
`
	if err != nil || string(out) != want {
		t.Errorf("%v\n%s\nwant\n%s", err, out, want)
	}
}

// TestOutOfMemory fills a server up to maxmemory.
func TestOutOfMemory(t *testing.T) {
	tr := openTrader(t, store.Config{})
	put(t, tr.Positions.Put(t.Context(), position))
	tr.do("CONFIG", "SET", "maxmemory", "1")
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	p := position
	p.PositionID = "P-2"
	if err := tr.Positions.Put(ctx, p); !errors.Is(err, store.ErrUnavailable) || !strings.Contains(fmt.Sprint(err), "OOM") {
		t.Errorf("Put: %v, want ErrUnavailable with the reason OOM", err)
	}
	if _, err := tr.Positions.Get(t.Context(), position.PositionID, store.Strong); err != nil {
		t.Errorf("Get: %v", err)
	}
	tr.do("CONFIG", "SET", "maxmemory", "0")
	put(t, tr.Positions.Put(t.Context(), p))
}

// TestEvictingServer opens a store on a server that may evict rows.
func TestEvictingServer(t *testing.T) {
	redis := storetest.Run(t, storetest.ServerOptions{Args: []string{"--maxmemory-policy", "allkeys-lru"}})
	cfg := store.Config{
		Database: store.DatabaseConfig{Host: "127.0.0.1", Port: redis.Port()},
		Schemas:  []store.Schema{trading.Schema},
		Logger:   slog.New(slog.NewTextHandler(t.Output(), nil)),
	}
	if _, err := store.Open(t.Context(), cfg); !errors.Is(err, store.ErrRefused) || !strings.Contains(fmt.Sprint(err), "allkeys-lru") {
		t.Errorf("Open: %v, want ErrRefused naming the policy", err)
	}
	cfg.AllowEviction = true
	s, err := store.Open(t.Context(), cfg)
	put(t, err)
	put(t, s.Close(t.Context()))
}
