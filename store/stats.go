package store

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/nacre-store/nacre/store/internal/conn"
)

// Stats are counters since Open and the present state, of all tenants of one
// Open.
type Stats struct {
	Cache      CacheStats
	Fence      FenceStats
	Buffer     BufferStats
	Recovery   RecoveryStats
	Reconnects int64 // Connections made anew after the first one to a server.
	Restarts   int64 // How often another process of a server answered then: what that had not saved is lost.
	// Others are those who write the same tenants as this store does.
	Others []Writer
}

// CacheStats tell what the near-cache has done and holds.
type CacheStats struct {
	Off           string        // Why rows are not cached; "" when they are.
	Hits          int64         // Rows given without asking Redis.
	Misses        int64         // Rows that were not there, not current or too old.
	Invalidations int64         // Keys of which Redis told that they changed.
	Losses        int64         // How often everything was forgotten, as for a lost connection.
	Evictions     int64         // Rows that gave way to others.
	Entries       int64         // Rows held.
	Bytes         int64         // What they take, by estimate.
	Age           time.Duration // Since the last sign of life of Redis; no hit is older than it and Config.MaxAge allow.
}

// RecoveryStats tell how far loops over tables, indexes, and the lists and
// hashes of many rows have come. What is read for a Watch is among it.
type RecoveryStats struct {
	Listed     int64 // Ids that indexes listed for loops to read.
	Read       int64 // Ids among them of which the row was read, or found gone.
	Parts      int64 // Lists and hashes that were read many at a time.
	Bytes      int64 // Stored bytes of all of them.
	Unreadable int64 // Rows, lists and hashes with something that could not be read.
}

// reading counts for RecoveryStats.
type reading struct{ listed, read, parts, bytes, unreadable atomic.Int64 }

func (r *reading) saw(rows, parts, bytes int, errs []error) {
	r.read.Add(int64(rows))
	r.parts.Add(int64(parts))
	r.bytes.Add(int64(bytes))
	for _, err := range errs {
		if err != nil {
			r.unreadable.Add(1)
		}
	}
}

func (r *reading) stats() RecoveryStats {
	return RecoveryStats{
		Listed: r.listed.Load(), Read: r.read.Load(), Parts: r.parts.Load(), Bytes: r.bytes.Load(), Unreadable: r.unreadable.Load(),
	}
}

// FenceStats tell about the fence against late writes: a connection that was
// given up is killed at the server before another one is used.
type FenceStats struct {
	Off    string // Why there is none; "" when there is.
	Killed int64  // Connections killed.
}

// Stats returns the counters.
func (s *Store) Stats() Stats {
	f := s.conn.Fence()
	t := Stats{
		Cache:      CacheStats{Off: s.uncached},
		Recovery:   s.reading.stats(),
		Fence:      FenceStats{Off: f.Off, Killed: f.Killed},
		Buffer:     s.bufferStats(),
		Reconnects: f.Reconnects,
		Restarts:   f.Restarts,
		Others:     s.writers.others(),
	}
	if s.cache != nil {
		c := s.cache.Stats()
		t.Cache = CacheStats{
			Hits: c.Hits, Misses: c.Misses, Invalidations: c.Invalidations, Losses: c.Lost,
			Evictions: c.Evictions, Entries: c.Entries, Bytes: c.Bytes, Age: s.cache.Age(),
		}
		if t.Cache.Off = f.Off; f.Off != "" {
			t.Cache.Off = "no fence: " + f.Off
		}
	}
	return t
}

// Health is for probes. It returns nil when Redis answers, is a master, has
// loaded its data, tells of changes where rows are cached, and takes what is
// buffered; otherwise the error says what is wrong.
func (s *Store) Health(ctx context.Context) error {
	err := s.busy.enter(func() error {
		if err := conn.Alive(ctx); err != nil {
			return err
		}
		if err := s.conn.Client.Do(ctx, s.conn.Client.B().Ping().Build()).Error(); err != nil {
			return err
		}
		if s.uncached != "" && s.cfg.Client != nil {
			return nil // a client that was given may not know ROLE
		}
		return s.takeBeat(ctx, s.cfg.maxAge()/beatsPerAge)
	})
	if err == nil {
		err = s.bufferStuck()
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, conn.ErrNotMaster):
		err = class(ErrUnavailable, err)
	default:
		err = readClass(err)
	}
	return fmt.Errorf("health: %w", err)
}
