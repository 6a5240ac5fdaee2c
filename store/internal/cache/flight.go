package cache

import "hash/maphash"

// flight is what is under way for one key. It exists while anything is.
type flight struct {
	refs    int
	writers int
	gen     uint64 // changes with everything that happens to the key
}

// A Token is one read or write under way.
type Token struct {
	s     *shard
	f     *flight
	key   string
	gen   uint64
	epoch uint64
	write bool
}

// Key is the key of the token.
func (t Token) Key() string { return t.key }

// Begin starts a read or a write of a key, before its command is handed to the
// connection. The token must be given to [Cache.End] once.
func (c *Cache) Begin(key string, write bool) Token {
	s := c.shard(maphash.String(c.seed, key))
	if write {
		c.writers.Add(1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	f := s.flights[key]
	if f == nil {
		if n := len(s.free); n > 0 {
			f, s.free = s.free[n-1], s.free[:n-1]
		} else {
			f = new(flight)
		}
		s.flights[key] = f
	}
	f.refs++
	if write {
		f.writers++
		f.gen++
	}
	return Token{s: s, f: f, key: key, gen: f.gen, epoch: s.epoch, write: write}
}

// maxFree bounds the flights that a shard keeps for later.
const maxFree = 64

// End finishes a read or a write, before its call returns. The entry becomes
// that of the key if nothing else happened to the key since Begin; otherwise,
// and without an entry, the key has none afterwards. An entry is given only
// for what the server has answered.
//
// Readers of one key that overlap see each other's end as something that
// happened, since nobody knows whose answer is the older one. If their answers
// are the same it does not matter, and the entry stays: otherwise a row that
// everybody reads would never get into the cache.
func (c *Cache) End(t Token, e Entry) {
	now := int64(0)
	if e != nil {
		now = c.Now()
		h := e.head()
		h.until = now + int64(EntryMaxAge)
		if h.Expire != 0 {
			h.until = min(h.until, h.Expire)
		}
	}
	s, f := t.s, t.f
	if t.write {
		defer c.writers.Add(-1)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if t.write {
		f.writers--
	}
	alone := t.gen == f.gen && t.epoch == s.epoch && f.writers == 0 || c.broken == NoToken
	switch {
	case e != nil && alone && now < e.head().until:
		s.put(t.key, e, c.limit)
	case e != nil && !t.write && s.says(t.key, e.head().Sum):
	default:
		s.drop(t.key)
	}
	f.gen++
	if f.refs--; f.refs == 0 {
		delete(s.flights, t.key)
		if len(s.free) < maxFree {
			*f = flight{}
			s.free = append(s.free, f)
		}
	}
}

// Doubt drops the entries of keys that are being written. It is for rows that
// were read without a token: they may show a write before its End.
func (c *Cache) Doubt() {
	if c.writers.Load() == 0 {
		return
	}
	for i := range c.shards {
		s := &c.shards[i]
		s.mu.Lock()
		for key, f := range s.flights {
			if f.writers > 0 {
				s.drop(key)
			}
		}
		s.mu.Unlock()
	}
}
