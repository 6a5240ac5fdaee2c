package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/key"
	"github.com/nacre-store/nacre/store/internal/meta"
)

// A Writer is another process, or another Store of this one, that writes rows
// of the same tenant. Two of them overwrite each other's rows without knowing,
// unless both use Update and Commit.
type Writer struct {
	Tenant string // As it starts the keys.
	Host   string
	PID    int
	Start  time.Time // Of its Open.
}

// String names the process.
func (w Writer) String() string {
	return fmt.Sprintf("process %d on %s, started %s", w.PID, w.Host, w.Start.UTC().Format(time.RFC3339))
}

// Who writes a tenant says so this often, and counts for so long.
const (
	writerRenew = 5 * time.Second
	writerLease = 15 * time.Second
)

// writersScript says that a process writes the tenant, and returns all who do.
// KEYS: the set. ARGV: the process, ms that a word counts.
var writersScript = rueidis.NewLuaScript(`
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. string.format('%.0f', now - tonumber(ARGV[2])))
redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[1])
redis.call('PEXPIRE', KEYS[1], 2 * tonumber(ARGV[2]))
return redis.call('ZRANGE', KEYS[1], 0, -1)`)

// writers is what this Store says of itself to other writers of its tenants,
// and what it knows of them.
type writers struct {
	mu      sync.Mutex
	self    string
	of      map[string]*writersOf // by namespace
	ctx     context.Context
	cancel  context.CancelFunc
	running sync.WaitGroup
}

// writersOf is what is known of one tenant.
type writersOf struct {
	ns     key.Namespace
	stores int               // of ours that write it
	others map[string]Writer // by what they say
}

// writersKey is the set of those who write the tenant.
func writersKey(ns key.Namespace) string { return ns.Name(meta.Word, "writers") }

// writes notes that this store writes the tenant. The first time it begins to
// say so, on a goroutine of its own: no write waits for it.
func (s *Store) writes() {
	if s.wrote.Load() || s.cfg.Client != nil || s.wrote.Swap(true) {
		return
	}
	w := &s.writers
	w.mu.Lock()
	defer w.mu.Unlock()
	w.begin(s.shared)
	if w.ctx.Err() != nil {
		return
	}
	w.join(s.ns)
	w.running.Go(func() { _, _ = s.say(w.ctx, s.ns) })
}

// begin makes the goroutine that renews; the caller holds the lock.
func (w *writers) begin(sh *shared) {
	if w.ctx != nil {
		return
	}
	host, _ := os.Hostname()
	w.self = strings.Join([]string{rand.Text(), strconv.Itoa(os.Getpid()), time.Now().UTC().Format(time.RFC3339), host}, " ")
	w.of = map[string]*writersOf{}
	w.ctx, w.cancel = context.WithCancel(context.Background())
	w.running.Go(func() {
		t := time.NewTicker(writerRenew)
		defer t.Stop()
		for {
			select {
			case <-w.ctx.Done():
				return
			case <-t.C:
			}
			for _, ns := range w.tenants() {
				_, _ = sh.say(w.ctx, ns)
			}
		}
	})
}

// join notes that one more store writes the tenant; the caller holds the lock.
func (w *writers) join(ns key.Namespace) {
	of := w.of[ns.String()]
	if of == nil {
		of = &writersOf{ns: ns}
		w.of[ns.String()] = of
	}
	of.stores++
}

// leave takes back what is said of the tenant, when the last store that writes
// it is closed or has purged it.
func (w *writers) leave(ctx context.Context, s *Store) {
	if !s.wrote.Swap(false) { // a next write says so again
		return
	}
	w.mu.Lock()
	of := w.of[s.ns.String()]
	last := of != nil && of.stores == 1
	if last {
		delete(w.of, s.ns.String())
	} else if of != nil {
		of.stores--
	}
	w.mu.Unlock()
	if last {
		ctx, cancel := context.WithTimeout(ctx, time.Second)
		defer cancel()
		c := s.conn.Client
		c.Do(ctx, c.B().Zrem().Key(writersKey(s.ns)).Member(w.self).Build())
	}
}

func (w *writers) tenants() []key.Namespace {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []key.Namespace
	for _, of := range w.of {
		all = append(all, of.ns)
	}
	return all
}

// say says that this store writes the tenant, and warns of others that do.
func (sh *shared) say(ctx context.Context, ns key.Namespace) ([]Writer, error) {
	ctx, cancel := context.WithTimeout(ctx, writerRenew)
	defer cancel()
	w := &sh.writers
	all, err := writersScript.Exec(ctx, sh.conn.Client, []string{writersKey(ns)}, []string{w.self, strconv.FormatInt(writerLease.Milliseconds(), 10)}).AsStrSlice()
	if err != nil {
		return nil, err
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	of := w.of[ns.String()]
	if of == nil { // nobody does any more
		c := sh.conn.Client
		return nil, c.Do(ctx, c.B().Zrem().Key(writersKey(ns)).Member(w.self).Build()).Error()
	}
	now := map[string]Writer{}
	var others []Writer
	for _, text := range all {
		if text == w.self {
			continue
		}
		o := parseWriter(ns.String(), text)
		now[text] = o
		others = append(others, o)
		if _, known := of.others[text]; !known {
			sh.log.Warn("another process writes the same tenant: rows that one of them puts can overwrite rows of the other",
				"tenant", ns.String(), "host", o.Host, "pid", o.PID, "start", o.Start)
		}
	}
	of.others = now
	return others, nil
}

func parseWriter(tenant, text string) Writer {
	w := Writer{Tenant: tenant}
	if f := strings.SplitN(text, " ", 4); len(f) == 4 {
		w.PID, _ = strconv.Atoi(f[1])
		w.Start, _ = time.Parse(time.RFC3339, f[2])
		w.Host = f[3]
	}
	return w
}

// others are the other writers of all tenants that this store writes.
func (w *writers) others() []Writer {
	w.mu.Lock()
	defer w.mu.Unlock()
	var all []Writer
	for _, of := range w.of {
		for _, o := range of.others {
			all = append(all, o)
		}
	}
	slices.SortFunc(all, func(a, b Writer) int { return strings.Compare(a.Tenant+a.String(), b.Tenant+b.String()) })
	return all
}

// soleWriter returns an error when somebody else writes the tenant, and counts
// as a writer itself from then on.
func (s *Store) soleWriter(ctx context.Context) error {
	if s.cfg.Client != nil {
		return nil
	}
	s.wrote.Store(true)
	s.writers.mu.Lock()
	s.writers.begin(s.shared)
	s.writers.join(s.ns)
	s.writers.mu.Unlock()
	others, err := s.say(ctx, s.ns)
	if err != nil {
		return readClass(err)
	}
	if len(others) > 0 {
		return refused("flush_on_start would delete rows that another process works with: %s (one that has died counts as living for %v)", others[0], writerLease)
	}
	return nil
}

// end takes back what this store has said.
func (w *writers) end(ctx context.Context, sh *shared) {
	w.mu.Lock()
	if w.ctx == nil {
		w.ctx, w.cancel = context.WithCancel(context.Background())
	}
	w.cancel()
	w.mu.Unlock()
	w.running.Wait()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var cmds rueidis.Commands
	for _, ns := range w.tenants() {
		cmds = append(cmds, sh.conn.Client.B().Zrem().Key(writersKey(ns)).Member(w.self).Build())
	}
	if len(cmds) > 0 {
		sh.conn.Client.DoMulti(ctx, cmds...)
	}
}
