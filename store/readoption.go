package store

import (
	"time"

	"github.com/nacre-store/nacre/store/internal/cache"
)

// A ReadOption says how old the answer of a Get may be: [Strong] or [MaxAge].
type ReadOption interface{ readOption() }

// maxAge is the one kind of ReadOption.
type maxAge time.Duration

func (maxAge) readOption() {}

// Strong reads from Redis, whatever is cached.
var Strong ReadOption = maxAge(0)

// MaxAge bounds how old the answer may be at worst: d instead of
// Config.MaxAge, if it is less. Redis gives a sign of life every fifth of
// Config.MaxAge, so that a d below that is mostly answered by Redis itself.
func MaxAge(d time.Duration) ReadOption { return maxAge(d) }

// ageOf returns what the options allow.
func ageOf(opts []ReadOption) time.Duration {
	age := cache.EntryMaxAge
	for _, o := range opts {
		if a, ok := o.(maxAge); ok { // not by a method, which would make a caller's option escape
			age = min(age, time.Duration(a))
		}
	}
	return age
}
