package store

import (
	"context"
	"errors"
	"slices"
	"strings"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/cache"
	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/internal/write"
)

// near is the near-cache of all tenants of one Open. Rows are cached; lists,
// hashes and series are not.
type near struct {
	cache    *cache.Cache // nil: uncached says why
	uncached string
	beat     heartbeat
	feeds    *feeds
}

// open connects, with client tracking where that is wanted and possible. One
// coarse prefix stands for all tenants: the server compares each changed key
// with every prefix that anybody tracks.
func (sh *shared) open(ctx context.Context, o conn.Options) (*conn.Conn, error) {
	if sh.cfg.Cache == "off" {
		sh.uncached = "off by configuration"
		return conn.Open(ctx, o)
	}
	prefix, near := sh.cfg.prefix(), newCache(sh.cfg)
	tracked := o
	tracked.Tracking = []string{"BCAST", "NOLOOP", "PREFIX", prefix, "PREFIX", "{" + prefix}
	tracked.OnDial = func() { o.OnDial(); lost(near, sh.feeds) }
	tracked.OnPush = func(keys []rueidis.RedisMessage) { pushed(near, sh.feeds, keys) }
	c, err := conn.Open(ctx, tracked)
	switch {
	case errors.Is(err, rueidis.ErrNoCache):
		why, _, _ := strings.Cut(err.Error(), "\n")
		sh.giveUp("the server refuses client tracking: " + why)
		return conn.Open(ctx, o)
	case err != nil:
		return nil, err
	case c.Fence().Off != "":
		sh.giveUp(c.Fence().Off)
	default:
		sh.cache = near
	}
	return c, nil
}

// giveUp goes on without a cache and says so once.
func (sh *shared) giveUp(why string) {
	sh.uncached, sh.cache = why, nil
	sh.log.Warn("rows are not cached and sets cannot be watched", "address", sh.cfg.Database.address(), "cause", why)
}

// newCache makes the cache of a store; tests replace it.
var newCache = func(cfg Config) *cache.Cache { return cache.New(cfg.cacheBytes(), cfg.maxAge()) }

// pushed takes an invalidation push; nil stands for all keys. It runs on the
// reader of the connection: it must not wait and not send.
func pushed(c *cache.Cache, fs *feeds, keys []rueidis.RedisMessage) {
	if keys == nil {
		lost(c, fs)
	}
	for i := range keys {
		if k, err := keys[i].ToString(); err == nil {
			c.Invalidate(k)
			fs.changed(k)
		}
	}
}

// lost forgets all rows, also those under way, and has watched sets compared
// with Redis again.
func lost(c *cache.Cache, fs *feeds) {
	c.Lost()
	fs.lost()
}

// forget does so for a change of our own, which comes with no push.
func (n *near) forget() {
	if n.cache != nil {
		lost(n.cache, n.feeds)
	}
}

// settle makes rows that were read beside the cache safe to show: when it
// returns, no hit is older than they are. A push can come behind the reply that
// shows the new row, and on another connection at any time; a write of our own
// comes with none, and shows before it ends.
func (s *Store) settle(ctx context.Context) error {
	if s.cache == nil {
		return nil
	}
	s.cache.Doubt()
	return s.read(ctx, func(c rueidis.Client) error { return c.Do(ctx, c.B().Ping().Build()).Error() })
}

// writing are the flights of a batch, one for each row that it touches.
type writing struct {
	one    [1]cache.Token
	first  [1]int
	tokens []cache.Token
	ops    []int // of the same place
	kept   bool  // the rows' bytes stay as they are
}

// begin starts the flights of the rows that the batch writes, before any
// command of it is sent. Of several ops on a row in an atomic batch the last
// one says what the row is afterwards.
func (w *writing) begin(c *cache.Cache, b write.Batch) {
	if c == nil {
		return
	}
	w.tokens, w.ops = w.one[:0], w.first[:0]
	var seen map[string]bool
	if b.Atomic && len(b.Ops) > 1 {
		seen = map[string]bool{}
	}
	for i := range slices.Backward(b.Ops) {
		op := &b.Ops[i]
		if !op.WritesRow() {
			continue
		}
		key := op.RowKey()
		if seen[key] {
			continue
		}
		if seen != nil {
			seen[key] = true
		}
		w.tokens = append(w.tokens, c.Begin(key, true))
		w.ops = append(w.ops, i)
	}
}

// end finishes them: rows that the server has acknowledged are the near ones
// from now on.
//
// Our own writes come with no push. One whose outcome is unknown may have been
// applied, or be yet: what is read from now on shows it.
func (w *writing) end(n *near, now int64, b write.Batch, rs []write.Result) {
	c := n.cache
	for i, t := range w.tokens {
		op, r := &b.Ops[w.ops[i]], &rs[w.ops[i]]
		defer n.feeds.changed(t.Key())
		if r.Err != nil || r.Duplicate || op.Kind == write.Delete {
			c.End(t, nil)
			continue
		}
		e := &written{raw: op.Row}
		if !w.kept {
			e.raw = slices.Clone(op.Row)
		}
		e.Size, e.Sum = cap(e.raw)+writtenSize, c.Sum(e.raw)
		if op.Expire != 0 {
			e.Expire = max(1, c.Now()+(op.Expire-now)*1e6)
		}
		c.End(t, e)
	}
}
