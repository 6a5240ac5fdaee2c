package store

import (
	"context"

	"github.com/nacre-store/nacre/store/internal/cache"
)

// Mutate makes the caches of stores opened from now on leave out a part of
// their algorithm, until the returned function is called.
func Mutate(m cache.Mutation) (restore func()) {
	was := newCache
	newCache = func(cfg Config) *cache.Cache {
		c := was(cfg)
		c.Break(m)
		return c
	}
	return func() { newCache = was }
}

// NameOf returns the type word of a table or series.
func NameOf(d Described) string { return d.describe().name }

// Flights is the number of rows that something is under way for.
func (s *Store) Flights() int64 { return s.cache.Stats().Flights }

// Renew says now what is said of a writer every few seconds.
func (s *Store) Renew(ctx context.Context) error {
	_, err := s.say(ctx, s.ns)
	return err
}

// ExpireAt is when a row that is written now expires.
var ExpireAt = expireAt
