package store

import (
	"context"
	"sync"
	"time"

	"github.com/redis/rueidis"
)

// A member of an index that its row does not justify; row is nil where there
// is none.
type member struct {
	id  string
	row []byte
}

// healScript drops members whose row still is what the reader saw. A bare ZREM
// would take out a row that has come back meanwhile.
const healScript = `
for i = 2, #KEYS do
	local row = redis.call('GET', KEYS[i])
	if (ARGV[2*i-2] == '' and not row) or (row and row == ARGV[2*i-2]) then
		redis.call('ZREM', KEYS[1], ARGV[2*i-3])
	end
end
return 1`

// heal drops stale members. Losing it is harmless.
func (s Set[K, V]) heal(ctx context.Context, stale []member) {
	if len(stale) == 0 {
		return
	}
	keys := []string{s.key()}
	var args []string
	for _, m := range stale {
		keys = append(keys, s.b.base+m.id)
		args = append(args, m.id, string(m.row))
	}
	_ = s.b.s.read(ctx, func(c rueidis.Client) error {
		return c.Do(ctx, c.B().Eval().Script(healScript).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build()).Error()
	})
}

// sweepScript removes the members whose rows have expired a minute ago. The
// margin is needed: a row is still alive at the instant of its score.
const sweepScript = `
local t = redis.call('TIME')
return redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', '(' .. (t[1] * 1000 - ` + sweepMarginMS + `))`

const sweepMarginMS = "60000"

func (s Set[K, V]) sweep(ctx context.Context) {
	_ = s.b.s.read(ctx, func(c rueidis.Client) error {
		return c.Do(ctx, c.B().Eval().Script(sweepScript).Numkeys(1).Key(s.key()).Build()).Error()
	})
}

// sweepEvery bounds how often readers remove expired members of an index.
const sweepEvery = time.Minute

// sweeps remembers when each index was swept by this process.
type sweeps struct {
	mu   sync.Mutex
	last map[string]time.Time
}

// maxSweeps bounds the memory of sweeps; an index that is forgotten is swept a
// little too often.
const maxSweeps = 10_000

func (w *sweeps) due(index string) bool {
	w.mu.Lock()
	defer w.mu.Unlock()
	if time.Since(w.last[index]) < sweepEvery {
		return false
	}
	if w.last == nil || len(w.last) >= maxSweeps {
		w.last = map[string]time.Time{}
	}
	w.last[index] = time.Now()
	return true
}
