package cache

import (
	"sync"
	"sync/atomic"
)

// An Entry is what the cache holds for a key: a struct that embeds [Head]. It
// is not changed once it has been given to the cache, as readers share it.
type Entry interface{ head() *Head }

// Head is the cache's part of an entry.
type Head struct {
	// Size is what the entry takes in bytes, all in, besides [Overhead].
	Size int
	// Sum is [Cache.Sum] of the stored bytes.
	Sum uint64
	// Expire is when the row expires, by the clock of [Cache.Now]; 0 is never.
	Expire int64

	until int64 // Expire or the end of EntryMaxAge, whichever is first
	used  atomic.Bool
}

func (h *Head) head() *Head { return h }

// Overhead is what the cache itself takes for an entry, in bytes, besides the
// bytes of its key: the slot of the map with its share of empty ones, and the
// header of the entry.
const Overhead = 120

// sample is how many entries an eviction looks at. Those that were hit since
// the last look are spared.
const sample = 8

type shard struct {
	mu        sync.RWMutex
	entries   map[string]Entry
	flights   map[string]*flight
	free      []*flight
	epoch     uint64
	bytes     int64
	evictions int64
	hits      atomic.Int64
	misses    atomic.Int64
	pushes    atomic.Int64
	_         [64]byte // keeps neighbours on other cache lines
}

func weight(key string, e Entry) int64 { return int64(len(key) + e.head().Size + Overhead) }

func (s *shard) drop(key string) {
	if e := s.entries[key]; e != nil {
		s.bytes -= weight(key, e)
		delete(s.entries, key)
	}
}

// says tells whether the key has an entry of the same stored bytes.
func (s *shard) says(key string, sum uint64) bool {
	e := s.entries[key]
	return e != nil && e.head().Sum == sum
}

// put stores an entry and makes room. An entry that is larger than the shard
// is not kept.
func (s *shard) put(key string, e Entry, limit int64) {
	s.drop(key)
	w := weight(key, e)
	if w > limit {
		return
	}
	for s.bytes+w > limit {
		s.evict()
	}
	s.entries[key] = e
	s.bytes += w
}

// evict removes one entry out of a random sample.
func (s *shard) evict() {
	var victim string
	n := 0
	for k, e := range s.entries {
		victim = k
		if n++; !e.head().used.Swap(false) || n == sample {
			break
		}
	}
	s.drop(victim)
	s.evictions++
}
