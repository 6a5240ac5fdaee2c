// Package cache holds decoded rows near their readers, kept true by the
// server's invalidation pushes.
//
// The data connection is the tracking connection, so that replies and pushes
// come in one order. Every read that fills the cache and every write stands
// between [Cache.Begin], before its command is handed to the connection, and
// [Cache.End], before the call returns. What a flight brings home is kept only
// if nothing happened to its key meanwhile: no push, no write, no lost
// connection. A hit needs, besides the entry, a proof of life that is younger
// than the maximal age: see [Cache.Heard].
package cache

import (
	"hash/maphash"
	"math"
	"sync/atomic"
	"time"
)

// EntryMaxAge is how long an entry lives at most. It heals what no push tells,
// such as SWAPDB.
const EntryMaxAge = 60 * time.Second

// A Cache maps keys to entries. It is safe for concurrent use.
type Cache struct {
	maxAge time.Duration
	start  time.Time
	seed   maphash.Seed
	mask   uint64
	shards []shard
	limit  int64        // bytes of one shard
	heard  atomic.Int64 // see Heard
	lost   atomic.Int64
	// writers are the writes under way.
	writers atomic.Int64
	broken  Mutation
}

// A Mutation leaves out one part of the algorithm, so that tests can show that
// they would notice.
type Mutation int

// The mutations.
const (
	Whole         Mutation = iota
	NoToken                // a flight installs whatever happened to its key meanwhile
	NoEpoch                // a lost connection invalidates nothing
	NoProofOfLife          // a hit does not ask when the server was heard last
)

const (
	maxShards  = 256
	leastShard = 256 << 10 // bytes; a smaller cache has fewer shards
)

// silence is a proof of life that is too old for every hit.
const silence = math.MinInt64 / 2

// New returns an empty cache of about the given number of bytes. It gives no
// hit before [Cache.Heard].
func New(bytes int64, maxAge time.Duration) *Cache {
	n := 1
	for n < maxShards && bytes/int64(n) >= 2*leastShard {
		n *= 2
	}
	c := &Cache{maxAge: maxAge, start: time.Now(), seed: maphash.MakeSeed(), mask: uint64(n - 1), shards: make([]shard, n), limit: bytes / int64(n)}
	c.heard.Store(silence)
	for i := range c.shards {
		c.shards[i].entries = map[string]Entry{}
		c.shards[i].flights = map[string]*flight{}
	}
	return c
}

// Break makes the cache leave out a part of the algorithm. It must be called
// before the cache is used.
func (c *Cache) Break(m Mutation) { c.broken = m }

// MaxAge is the maximal age of a hit.
func (c *Cache) MaxAge() time.Duration { return c.maxAge }

// Now is the cache's monotonic clock, in nanoseconds, which entries expire by.
func (c *Cache) Now() int64 { return int64(time.Since(c.start)) }

// Heard notes a proof of life: every push for a write that was acknowledged
// before the moment at, of the clock of [Cache.Now], has been taken. Two
// commands one after the other prove it for the moment before the first was
// sent, as a push follows the replies of its own turn of the server's loop.
func (c *Cache) Heard(at int64) {
	for {
		was := c.heard.Load()
		if at <= was || c.heard.CompareAndSwap(was, at) {
			return
		}
	}
}

// Silence takes the proof of life back: there are no hits until [Cache.Heard].
func (c *Cache) Silence() { c.heard.Store(silence) }

// Age is how long ago the last proof of life was.
func (c *Cache) Age() time.Duration {
	at := c.heard.Load()
	if at == silence {
		return math.MaxInt64
	}
	return time.Duration(c.Now() - at)
}

// Hit returns the entry of a key if it is at most age old, and counts. The
// bound on the age of all hits holds too.
func (c *Cache) Hit(key []byte, age time.Duration) Entry {
	now := c.Now()
	s := c.shard(maphash.Bytes(c.seed, key))
	s.mu.RLock()
	e := s.entries[string(key)]
	s.mu.RUnlock()
	if e != nil {
		h := e.head()
		if now < h.until && (now-c.heard.Load() < int64(min(age, c.maxAge)) || c.broken == NoProofOfLife) {
			if !h.used.Load() {
				h.used.Store(true)
			}
			s.hits.Add(1)
			return e
		}
	}
	s.misses.Add(1)
	return nil
}

// Invalidate takes the push for one key.
func (c *Cache) Invalidate(key string) {
	s := c.shard(maphash.String(c.seed, key))
	s.pushes.Add(1)
	s.mu.Lock()
	s.drop(key)
	if f := s.flights[key]; f != nil {
		f.gen++
	}
	s.mu.Unlock()
}

// Lost forgets everything, also what is under way: a connection was lost, or a
// new one is about to be made, or the server said that all keys have gone.
func (c *Cache) Lost() {
	c.lost.Add(1)
	if c.broken == NoEpoch {
		return
	}
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		s.epoch++
		clear(s.entries)
		s.bytes = 0
		s.mu.Unlock()
	}
}

// Swap puts an entry in the place of another one of the same Sum and Expire, if
// that is still there. The new one lives as long as the old one would.
func (c *Cache) Swap(key []byte, old, new Entry) {
	s := c.shard(maphash.Bytes(c.seed, key))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries[string(key)] != old {
		return
	}
	h := new.head()
	h.until = old.head().until
	h.used.Store(true)
	s.put(string(key), new, c.limit)
}

// Sum is a hash of a row's stored bytes: rows of the same sum are taken for
// the same, which errs once in 2^64.
func (c *Cache) Sum(stored []byte) uint64 { return maphash.Bytes(c.seed, stored) }

func (c *Cache) shard(hash uint64) *shard { return &c.shards[hash&c.mask] }

// Stats are counters since the cache was made, and what it holds now.
type Stats struct {
	Hits, Misses, Invalidations, Evictions, Lost int64
	Entries, Bytes                               int64
	Flights                                      int64 // keys with something under way
}

// Stats returns the counters.
func (c *Cache) Stats() Stats {
	t := Stats{Lost: c.lost.Load()}
	for i := range c.shards {
		s := &c.shards[i]
		t.Hits += s.hits.Load()
		t.Misses += s.misses.Load()
		t.Invalidations += s.pushes.Load()
		s.mu.RLock()
		t.Evictions += s.evictions
		t.Entries += int64(len(s.entries))
		t.Flights += int64(len(s.flights))
		t.Bytes += s.bytes
		s.mu.RUnlock()
	}
	return t
}
