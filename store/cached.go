package store

import (
	"context"
	"reflect"
	"sync"
	"time"
	"unsafe"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/cache"
)

// cached is a decoded row in the cache. Nobody changes it.
type cached[V any] struct {
	cache.Head
	row V
}

// written is a row in the cache as this process wrote it. The first reader
// decodes it: what a hit gives is then always what a read of Redis would give,
// and shares nothing with what the writer still holds.
type written struct {
	cache.Head
	raw []byte
}

const writtenSize = int(unsafe.Sizeof(written{}))

// hit returns the row out of the cache if it is at most age old.
func (b *bound[K, V]) hit(id K, age time.Duration) *cached[V] {
	c := b.s.cache
	if c == nil || b.s.busy.closed.Load() {
		return nil
	}
	var space [128]byte
	if text, ok := b.Key.plain(id); ok {
		return b.hitKey(append(append(space[:0], b.base...), text...), age)
	}
	p := keyBufs.Get().(*[]byte)
	*p = b.Key.append(append((*p)[:0], b.base...), id)
	row := b.hitKey(*p, age)
	keyBufs.Put(p)
	return row
}

// keyBufs are for keys whose id is no string.
var keyBufs = sync.Pool{New: func() any { return new([]byte) }}

func (b *bound[K, V]) hitKey(key []byte, age time.Duration) *cached[V] {
	switch e := b.s.cache.Hit(key, age).(type) {
	case *cached[V]:
		return e
	case *written:
		d := new(cached[V])
		if err := b.Codec.Take(e.raw, &d.row, nil); err != nil {
			return nil
		}
		d.Size, d.Sum, d.Expire = b.weigh(e.raw), e.Sum, e.Expire
		b.s.cache.Swap(key, e, d)
		return d
	}
	return nil
}

// weigh estimates what a decoded row takes: itself, and in strings and
// decimals about what the stored bytes take.
func (b *bound[K, V]) weigh(raw []byte) int { return b.size + len(raw) }

// sizeOf returns what a row of the type takes without strings and decimals,
// with its maps, whether it has them or not.
func sizeOf(t reflect.Type) int {
	n := int(t.Size())
	switch t.Kind() {
	case reflect.Map:
		n += mapSize
	case reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i).Type
			n += sizeOf(f) - int(f.Size())
		}
	}
	return n
}

// mapSize is what a small map takes.
const mapSize = 350

// fetch reads one row from Redis, for the cache too: nobody may change it.
// Every error is a *[RowError].
func (b *bound[K, V]) fetch(ctx context.Context, id string) (*V, error) {
	var f fill
	key := b.base + id
	f.begin(b.s.cache, key)
	raw, err := f.get(ctx, b.s, key, b.dies)
	if err == nil && raw == nil {
		err = ErrNotFound
	}
	if err != nil {
		f.end(nil)
		return nil, rowError(b.Name, id, err)
	}
	e := new(cached[V])
	if err := b.take(id, raw, &e.row, nil); err != nil {
		f.end(nil)
		return nil, err
	}
	e.Size, e.Sum, e.Expire = b.weigh(raw), f.cache.Sum(raw), f.expire
	f.end(e)
	return &e.row, nil
}

// fetchMany reads the rows that are nil, in one round trip and for the cache
// too. What is wrong with a row stands at its place.
func (b *bound[K, V]) fetchMany(ctx context.Context, ids []string, rows []*cached[V]) ([]error, error) {
	errs := make([]error, len(ids))
	var at []int
	var keys []string
	for i, id := range ids {
		if rows[i] == nil {
			at, keys = append(at, i), append(keys, b.base+id)
		}
	}
	if len(keys) == 0 {
		return errs, nil
	}
	c := b.s.cache
	tokens := make([]cache.Token, len(keys))
	for n, key := range keys {
		tokens[n] = c.Begin(key, false)
	}
	raws, expires, err := b.s.getMany(ctx, keys, b.dies)
	for n, i := range at {
		if err != nil || raws[n] == nil {
			c.End(tokens[n], nil)
			errs[i] = rowError(b.Name, ids[i], ErrNotFound)
			continue
		}
		e := new(cached[V])
		if errs[i] = b.take(ids[i], raws[n], &e.row, nil); errs[i] != nil {
			c.End(tokens[n], nil)
			continue
		}
		rows[i] = e
		e.Size, e.Sum, e.Expire = b.weigh(raws[n]), c.Sum(raws[n]), expires[n]
		c.End(tokens[n], e)
	}
	return errs, err
}

// getMany reads stored bytes, and of rows that may expire when they do.
func (s *Store) getMany(ctx context.Context, keys []string, dies bool) ([][]byte, []int64, error) {
	var raws [][]byte
	expires := make([]int64, len(keys))
	err := s.read(ctx, func(c rueidis.Client) error {
		cmds := make(rueidis.Commands, 0, 1+len(keys))
		cmds = append(cmds, c.B().Mget().Key(keys...).Build())
		if dies {
			for _, key := range keys {
				cmds = append(cmds, c.B().Pttl().Key(key).Build())
			}
		}
		sent := s.cache.Now()
		rs := c.DoMulti(ctx, cmds...)
		var err error
		if raws, err = stringsOf(rs[0], len(keys)); err != nil {
			return err
		}
		for i, r := range rs[1:] {
			if expires[i], err = expiry(sent, r); err != nil {
				return err
			}
		}
		return nil
	})
	return raws, expires, err
}

// fill is one read of a row under way.
type fill struct {
	cache  *cache.Cache // nil without one
	token  cache.Token
	expire int64
}

func (f *fill) begin(c *cache.Cache, key string) {
	if f.cache = c; c != nil {
		f.token = c.Begin(key, false)
	}
}

func (f *fill) end(e cache.Entry) {
	if f.cache != nil {
		f.cache.End(f.token, e)
	}
}

// get reads the stored bytes, and for a row that may expire when it does.
func (f *fill) get(ctx context.Context, s *Store, key string, dies bool) ([]byte, error) {
	var raw []byte
	err := s.read(ctx, func(c rueidis.Client) error {
		var err error
		get := c.B().Get().Key(key).Build()
		if f.cache == nil || !dies {
			raw, err = bytesOf(c.Do(ctx, get))
			return err
		}
		sent := f.cache.Now()
		rs := c.DoMulti(ctx, get, c.B().Pttl().Key(key).Build())
		if raw, err = bytesOf(rs[0]); err != nil {
			return err
		}
		f.expire, err = expiry(sent, rs[1])
		return err
	})
	return raw, err
}

// expiry is the moment at which a row expires, by the answer to a PTTL that
// was sent at the given moment.
func expiry(sent int64, r rueidis.RedisResult) (int64, error) {
	ms, err := r.AsInt64()
	switch {
	case err != nil:
		return 0, err
	case ms == -1:
		return 0, nil // never
	}
	return max(1, sent+max(0, ms)*int64(time.Millisecond)), nil
}

// bytesOf returns the bytes of a string, nil where there is none.
func bytesOf(r rueidis.RedisResult) ([]byte, error) {
	raw, err := r.AsBytes()
	if rueidis.IsRedisNil(err) {
		return nil, nil
	}
	if raw == nil && err == nil {
		raw = []byte{} // stored, and no row
	}
	return raw, err
}
