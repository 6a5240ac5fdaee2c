package cache

import (
	"fmt"
	"runtime"
	"strconv"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type row struct {
	Head
	v int
}

func entry(v int) *row { return &row{Head{Size: 100, Sum: uint64(v)}, v} }

func live(t testing.TB, bytes int64) *Cache {
	t.Helper()
	c := New(bytes, time.Hour)
	c.Heard(c.Now())
	return c
}

// want checks what a hit gives; 0 is a miss.
func want(t testing.TB, c *Cache, key string, v int) {
	t.Helper()
	got := 0
	if e := c.Hit([]byte(key), time.Hour); e != nil {
		got = e.(*row).v
	}
	if got != v {
		t.Errorf("%s: %d, want %d", key, got, v)
	}
}

func read(c *Cache, key string, v int)  { c.End(c.Begin(key, false), entry(v)) }
func write(c *Cache, key string, v int) { c.End(c.Begin(key, true), entry(v)) }

func TestFlights(t *testing.T) {
	for name, f := range map[string]func(*Cache) int{
		"fill":              func(c *Cache) int { read(c, "k", 1); return 1 },
		"write":             func(c *Cache) int { write(c, "k", 1); return 1 },
		"write over fill":   func(c *Cache) int { read(c, "k", 1); write(c, "k", 2); return 2 },
		"write that failed": func(c *Cache) int { read(c, "k", 1); c.End(c.Begin("k", true), nil); return 0 },
		"read of nothing":   func(c *Cache) int { read(c, "k", 1); c.End(c.Begin("k", false), nil); return 0 },
		"push":              func(c *Cache) int { read(c, "k", 1); c.Invalidate("k"); return 0 },
		"push of another":   func(c *Cache) int { read(c, "k", 1); c.Invalidate("l"); return 1 },
		"push during a fill": func(c *Cache) int {
			a := c.Begin("k", false)
			c.Invalidate("k")
			c.End(a, entry(1))
			return 0
		},
		"push during a write": func(c *Cache) int {
			a := c.Begin("k", true)
			c.Invalidate("k")
			c.End(a, entry(1))
			return 0
		},
		"write during a fill": func(c *Cache) int {
			a := c.Begin("k", false)
			write(c, "k", 2)
			c.End(a, entry(1))
			return 0
		},
		"fill during a write": func(c *Cache) int {
			w := c.Begin("k", true)
			read(c, "k", 1)
			want(t, c, "k", 0)
			c.End(w, entry(2))
			return 0
		},
		"the old row until the write ends": func(c *Cache) int {
			read(c, "k", 1)
			w := c.Begin("k", true)
			want(t, c, "k", 1)
			c.End(w, entry(2))
			return 2
		},
		"doubt during a write": func(c *Cache) int {
			read(c, "k", 1)
			w := c.Begin("k", true)
			c.Doubt()
			want(t, c, "k", 0)
			c.End(w, entry(2))
			return 2
		},
		"doubt during a write of another": func(c *Cache) int {
			read(c, "k", 1)
			w := c.Begin("l", true)
			c.Doubt()
			c.End(w, entry(2))
			return 1
		},
		"two writes at once": func(c *Cache) int {
			a, b := c.Begin("k", true), c.Begin("k", true)
			c.End(a, entry(1))
			c.End(b, entry(2))
			return 0
		},
		"two fills at once": func(c *Cache) int {
			a, b := c.Begin("k", false), c.Begin("k", false)
			c.End(a, entry(2))
			c.End(b, entry(1))
			return 0
		},
		"two fills of the same": func(c *Cache) int {
			a, b := c.Begin("k", false), c.Begin("k", false)
			c.End(a, entry(1))
			c.End(b, entry(1))
			return 1
		},
		"a fill that is behind the same row": func(c *Cache) int {
			a := c.Begin("k", false)
			c.Invalidate("k")
			read(c, "k", 1) // this one itself ends beside a
			c.End(a, entry(1))
			read(c, "k", 2)
			return 2
		},
		"loss":               func(c *Cache) int { read(c, "k", 1); c.Lost(); return 0 },
		"loss during a fill": func(c *Cache) int { a := c.Begin("k", false); c.Lost(); c.End(a, entry(1)); return 0 },
		"expired on arrival": func(c *Cache) int {
			e := entry(1)
			e.Expire = c.Now()
			c.End(c.Begin("k", false), e)
			return 0
		},
		"swap": func(c *Cache) int {
			read(c, "k", 1)
			c.Swap([]byte("k"), c.Hit([]byte("k"), time.Hour), entry(5))
			return 5
		},
		"swap too late": func(c *Cache) int {
			read(c, "k", 1)
			e := c.Hit([]byte("k"), time.Hour)
			read(c, "k", 2)
			c.Swap([]byte("k"), e, entry(1))
			return 2
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := live(t, 1<<20)
			want(t, c, "k", f(c))
			for i := range c.shards {
				if n := len(c.shards[i].flights); n != 0 {
					t.Errorf("%d flights are left", n)
				}
			}
		})
	}
}

func TestProofOfLife(t *testing.T) {
	c := New(1<<20, time.Second)
	read(c, "k", 1)
	want(t, c, "k", 0) // never heard
	now := c.Now()
	c.Heard(now - int64(time.Second) - 1)
	want(t, c, "k", 0)
	c.Heard(now)
	want(t, c, "k", 1)
	c.Heard(now - 1000) // an old one changes nothing
	if age := c.Age(); age > 500*time.Millisecond {
		t.Errorf("age %v", age)
	}
	time.Sleep(time.Millisecond)
	if c.Hit([]byte("k"), time.Millisecond) != nil {
		t.Error("a hit is older than was asked for")
	}
	if c.Hit([]byte("k"), 0) != nil {
		t.Error("a strong read was a hit")
	}
	c.Silence()
	want(t, c, "k", 0)
}

func TestExpiry(t *testing.T) {
	c := live(t, 1<<20)
	e := entry(1)
	e.Expire = c.Now() + int64(20*time.Millisecond)
	c.End(c.Begin("k", false), e)
	want(t, c, "k", 1)
	time.Sleep(20 * time.Millisecond)
	want(t, c, "k", 0)
}

func TestBounds(t *testing.T) {
	const limit = 1 << 20
	c := live(t, limit)
	for i := range 50_000 {
		read(c, strconv.Itoa(i), 1)
	}
	s := c.Stats()
	if s.Bytes > limit || s.Bytes < limit*9/10 {
		t.Errorf("%d bytes are held of %d", s.Bytes, limit)
	}
	if s.Evictions+s.Entries != 50_000 {
		t.Errorf("%d evicted, %d held, want 50,000 together", s.Evictions, s.Entries)
	}
	// A row that is asked for again and again survives.
	read(c, "hot", 7)
	for i := range 50_000 {
		want(t, c, "hot", 7)
		read(c, "cold"+strconv.Itoa(i), 1)
	}
	// What is too large is not kept and drives nothing out.
	before := c.Stats().Entries
	big := entry(1)
	big.Size = limit
	c.End(c.Begin("big", false), big)
	want(t, c, "big", 0)
	if after := c.Stats().Entries; after < before {
		t.Errorf("%d entries, %d before", after, before)
	}
	for i := range 50_000 {
		c.Invalidate("cold" + strconv.Itoa(i))
	}
	c.Invalidate("hot")
	for i := range 50_000 {
		c.Invalidate(strconv.Itoa(i))
	}
	if s := c.Stats(); s.Bytes != 0 || s.Entries != 0 {
		t.Errorf("%d bytes in %d entries are left", s.Bytes, s.Entries)
	}
}

// What the cache takes for an entry is what it says.
func TestOverhead(t *testing.T) {
	const n = 100_000
	c := live(t, 1<<30)
	keys := make([]string, n)
	for i := range keys {
		keys[i] = fmt.Sprintf("trader-position:BTCUSDT-PERP.BINANCE-EMACross-%06d", i)
	}
	heap := func() int64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapAlloc)
	}
	before := heap()
	for _, k := range keys {
		c.End(c.Begin(k, false), &row{})
	}
	got := (heap() - before) / n
	if got > Overhead*5/4 || got < Overhead/2 {
		t.Errorf("an entry takes %d bytes besides key and row, %d are counted", got, Overhead)
	}
	t.Logf("%d bytes an entry besides key and row", got)
	runtime.KeepAlive(c)
	runtime.KeepAlive(keys)
}

func TestHitAllocatesNothing(t *testing.T) {
	c := live(t, 1<<20)
	read(c, "trader-position:X", 1)
	key := []byte("trader-position:X")
	if n := testing.AllocsPerRun(1000, func() { c.Hit(key, time.Hour) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
	if n := testing.AllocsPerRun(1000, func() { c.End(c.Begin("other", false), nil) }); n != 0 {
		t.Errorf("%v allocations in a flight", n)
	}
}

func BenchmarkHit(b *testing.B) {
	for _, n := range []int{1, 10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			c := New(1<<30, time.Hour)
			c.Heard(c.Now())
			keys := make([][]byte, n)
			for i := range keys {
				keys[i] = fmt.Appendf(nil, "trader-position:BTCUSDT-PERP.BINANCE-EMACross-%06d", i)
				read(c, string(keys[i]), 1)
			}
			i := 0
			for b.Loop() {
				if i++; i == n {
					i = 0
				}
				c.Hit(keys[i], time.Hour)
			}
		})
	}
}
