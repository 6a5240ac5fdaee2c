package cache

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// sim is a server, one connection and the callers of a store in one goroutine:
// every interleaving is a random choice, and a seed repeats it. Rows are
// numbers that only grow, so a smaller one is an older one.
//
// The server works in turns, as Redis does: the replies of a turn come first,
// then one push for each key that changed, unless the last one to change it was
// this connection (NOLOOP).
type sim struct {
	*rand.Rand
	c       *Cache
	row     []int // at the server
	last    []int // written by anybody, so that the next write has a larger number
	up      []*call
	down    []message
	pushing map[int]bool // key to "ours was the last change", in this turn
	calls   []*call      // not yet returned
	floor   []int        // what a new call must see at least, by key
	err     error
}

type call struct {
	key   int
	tok   Token
	write int // 0 is a read
	floor int // of its key when the call began
	got   int
	done  bool // the reply is in, or the connection is lost
	lost  bool
}

type message struct {
	reply *call
	key   int
	value int // what the push is about
}

const simKeys = 3

func newSim(seed uint64, m Mutation) *sim {
	s := &sim{Rand: rand.New(rand.NewPCG(seed, 1)), c: live(quiet{}, 1<<20), row: make([]int, simKeys), last: make([]int, simKeys), floor: make([]int, simKeys), pushing: map[int]bool{}}
	s.c.Break(m)
	return s
}

func name(key int) string { return fmt.Sprint("k", key) }

func (s *sim) step() {
	k := s.IntN(simKeys)
	switch n := s.IntN(100); {
	case n < 20: // a call: a hit, or a command
		cl := &call{key: k, floor: s.floor[k]}
		if s.IntN(4) > 0 {
			if e := s.c.Hit([]byte(name(k)), 1<<40); e != nil {
				s.returned(cl, e.(*row).v)
				return
			}
		}
		cl.tok = s.c.Begin(name(k), false)
		s.calls = append(s.calls, cl)
	case n < 28:
		s.last[k]++
		cl := &call{key: k, write: s.last[k], tok: s.c.Begin(name(k), true)}
		s.calls = append(s.calls, cl)
	case n < 45: // a call hands over its command, in any order of calls
		if i := slices.IndexFunc(s.calls, func(c *call) bool { return !c.done && !slices.Contains(s.up, c) && !s.waiting(c) }); i >= 0 {
			s.up = append(s.up, s.calls[i])
		}
	case n < 60: // the server takes a command
		if len(s.up) > 0 {
			s.serve(s.up[0])
			s.up = s.up[1:]
		}
	case n < 64: // somebody else writes
		s.last[k]++
		s.row[k] = s.last[k]
		s.pushing[k] = false
	case n < 72: // the turn ends
		for k, ours := range s.pushing {
			if !ours {
				s.down = append(s.down, message{key: k, value: s.row[k]})
			}
		}
		clear(s.pushing)
	case n < 88: // a message comes in
		if len(s.down) > 0 {
			m := s.down[0]
			s.down = s.down[1:]
			if m.reply != nil {
				m.reply.done = true
			} else {
				s.c.Invalidate(name(m.key))
				s.floor[m.key] = max(s.floor[m.key], m.value)
			}
		}
	case n < 99: // a call with a reply returns
		var ready []*call
		for _, c := range s.calls {
			if c.done {
				ready = append(ready, c)
			}
		}
		if len(ready) > 0 {
			s.end(ready[s.IntN(len(ready))])
		}
	case s.IntN(4) == 0: // the connection is lost and made anew
		s.up, s.down = nil, nil
		clear(s.pushing)
		for _, c := range s.calls {
			if !c.done {
				c.done, c.lost = true, true
			}
		}
		s.c.Lost()
		copy(s.floor, s.row) // nothing older from the detection on
	}
}

// waiting tells whether the server has the command already.
func (s *sim) waiting(c *call) bool {
	return c.got != 0 || slices.ContainsFunc(s.down, func(m message) bool { return m.reply == c })
}

func (s *sim) serve(c *call) {
	if c.write != 0 {
		if c.write < s.row[c.key] {
			// Our numbers only grow; a write that was overtaken takes a new one.
			s.last[c.key]++
			c.write = s.last[c.key]
		}
		s.row[c.key] = c.write
		s.pushing[c.key] = true
		c.got = c.write
	} else {
		c.got = s.row[c.key]
		if c.got == 0 {
			c.got = -1 // read, and absent
		}
	}
	s.down = append(s.down, message{reply: c})
}

func (s *sim) end(c *call) {
	s.calls = slices.DeleteFunc(s.calls, func(o *call) bool { return o == c })
	if c.lost || c.got <= 0 {
		s.c.End(c.tok, nil)
		if !c.lost {
			s.returned(c, 0)
		}
		return
	}
	s.c.End(c.tok, entry(c.got))
	s.returned(c, c.got)
}

// returned checks what a call gives and what the next ones must give.
func (s *sim) returned(c *call, v int) {
	if v < c.floor {
		s.err = fmt.Errorf("%s: a call gave %d, and %d had been known before it began", name(c.key), v, c.floor)
	}
	s.floor[c.key] = max(s.floor[c.key], v)
}

// quiet is a test that only helps.
type quiet struct{ testing.TB }

func (quiet) Helper() {}

func simulate(m Mutation, seeds, steps int) error {
	for seed := range seeds {
		s := newSim(uint64(seed), m)
		for range steps {
			if s.step(); s.err != nil {
				return fmt.Errorf("seed %d: %w", seed, s.err)
			}
		}
	}
	return nil
}

func TestSimulation(t *testing.T) {
	seeds := 25
	if testing.Short() {
		seeds = 10
	}
	if err := simulate(Whole, seeds, 5000); err != nil {
		t.Error(err)
	}
	for _, m := range []Mutation{NoToken, NoEpoch} {
		if err := simulate(m, seeds, 5000); err == nil {
			t.Errorf("mutation %d is not noticed", m)
		} else {
			t.Log("mutation ", m, ": ", err)
		}
	}
}
