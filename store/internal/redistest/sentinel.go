package redistest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A SentinelSet is a master with a replica, watched by sentinels.
type SentinelSet struct {
	Name      string // Of the master, as the sentinels know it.
	Servers   []*Server
	Sentinels []*Server
}

// SentinelOptions says how a [SentinelSet] runs.
type SentinelOptions struct {
	Sentinels        int // 0 is 1.
	Password         string
	SentinelPassword string
}

// RunSentinels starts a master, its replica and sentinels, and returns when
// every sentinel knows all of them.
func RunSentinels(t testing.TB, opts SentinelOptions) *SentinelSet {
	t.Helper()
	args := []string{"--repl-diskless-sync-delay", "0"}
	if opts.Password != "" {
		args = append(args, "--masterauth", opts.Password)
	}
	set := &SentinelSet{Name: "trading"}
	master := Run(t, Options{Password: opts.Password, Args: args})
	args = append(args, "--replicaof", "127.0.0.1 "+strconv.Itoa(master.Port()))
	set.Servers = []*Server{master, Run(t, Options{Password: opts.Password, Args: args})}
	n := max(1, opts.Sentinels)
	for range n {
		conf := filepath.Join(t.TempDir(), "sentinel.conf") // which the sentinel writes to
		text := fmt.Sprintf("sentinel monitor %s 127.0.0.1 %d %d\nsentinel down-after-milliseconds %[1]s 30000\nsentinel failover-timeout %[1]s 3000\n",
			set.Name, master.Port(), n/2+1)
		if opts.Password != "" {
			text += fmt.Sprintf("sentinel auth-pass %s %s\n", set.Name, opts.Password)
		}
		if opts.SentinelPassword != "" {
			text += "sentinel sentinel-pass " + opts.SentinelPassword + "\n"
		}
		if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		set.Sentinels = append(set.Sentinels, Run(t, Options{Config: conf, Args: []string{"--sentinel"}, Password: opts.SentinelPassword}))
	}
	want := fmt.Sprintf("name=%s,status=ok,address=%s,slaves=1,sentinels=%d", set.Name, master.Addr(), n)
	for _, s := range set.Sentinels {
		eventually(t, s, want, "INFO", "sentinel")
	}
	return set
}

// Addrs are the addresses of the sentinels.
func (s *SentinelSet) Addrs() []string {
	var addrs []string
	for _, x := range s.Sentinels {
		addrs = append(addrs, x.Addr())
	}
	return addrs
}

// eventually waits until the server's reply contains the text.
func eventually(t testing.TB, s *Server, want string, cmd ...string) {
	t.Helper()
	var got string
	var err error
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if got, err = s.Do(cmd...); err == nil && strings.Contains(got, want) {
			return
		}
	}
	t.Fatalf("redistest: %s: %v answers %q, %v; want %q", s.Addr(), cmd, got, err, want)
}
