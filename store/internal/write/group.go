package write

import (
	"context"
	"strconv"
	"sync"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/conn"
)

// A group is the Puts of several rows in one transaction. What they do to the
// same set becomes one command, which is half of what Puts are to Redis and to
// the connection. It is the buffer's: whoever has called Put waits for his row
// alone.
type group struct {
	es   []exchange
	step step
	cmds []setCommand
	at   map[target]int // places in cmds of those that others may join
	rows []int          // places in cmds of what stores the rows
	held bool           // the last command was about a held set
}

// A group is no longer than keeps others waiting for a fraction of a
// millisecond.
const (
	maxGroup      = 32
	maxGroupBytes = 128 << 10
)

type setCommand struct {
	name, key string
	args      []string
}

type target struct{ name, key string }

var groups = sync.Pool{New: func() any { return &group{at: map[target]int{}} }}

// sendGroups takes Puts in groups and the others one by one, in one round trip.
// What a group is refused for is found out in a second one, in which each row
// stands for itself.
func (x *Executor) sendGroups(ctx context.Context, puts, others []exchange) {
	var gs []*group
	cmds := make([]rueidis.Completed, 0, 10*len(puts)+18*len(others))
	for len(puts) > 0 {
		g := groups.Get().(*group)
		puts = g.take(puts)
		cmds = g.commands(cmds, x.Conn.Client.B())
		gs = append(gs, g)
	}
	replies := x.round(ctx, x.commands(cmds, others))
	var again []exchange
	var olds []Result // what the rows of again have replaced already
	for _, g := range gs {
		n := len(g.cmds) + 2
		err := g.answer(replies[:n])
		replies = replies[n:]
		for i := range g.es {
			e := &g.es[i]
			if err == nil {
				continue
			}
			old := e.rs[0].Old
			if e.fail(err); conn.Classify(err) == conn.Refused {
				again, olds = append(again, *e), append(olds, Result{Old: old})
			}
		}
		g.release()
	}
	x.receive(ctx, others, replies)
	x.send(ctx, again)
	for i := range again {
		if r := &again[i].rs[0]; r.Err == nil && olds[i].Old != nil {
			r.Old = olds[i].Old
		}
	}
}

// take takes the first rows in and returns the others.
func (g *group) take(es []exchange) []exchange {
	n, size := 0, 0
	for n < len(es) && n < maxGroup && (n == 0 || size < maxGroupBytes) {
		size += len(es[n].Ops[0].Row)
		n++
	}
	g.es = es[:n]
	return es[n:]
}

// commands adds what the group is sent as.
func (g *group) commands(cmds []rueidis.Completed, b rueidis.Builder) []rueidis.Completed {
	s := &g.step
	for i := range g.es {
		s.reset()
		s.put("0", "0")
		g.rows = append(g.rows, len(g.cmds))
		g.es[i].Ops[0].rowCommands(s)
		s.each(g.add)
	}
	cmds = append(cmds, b.Multi().Build())
	for i, c := range g.cmds {
		to := b.Arbitrary(c.name)
		if i == 0 {
			to = to.Keys(c.key)
		} else { // in the slot of the first, which costs something to find
			to = to.Args(c.key)
		}
		cmds = append(cmds, to.Args(c.args...).Build())
	}
	return append(cmds, b.Exec().Build())
}

// add adds a command to the group. Rows are different ones, so that the order
// of what they do to a set does not matter.
func (g *group) add(name, key string, args []string) {
	switch {
	case name == "ZADD", name == "ZREM", name == "SADD", name == "SREM", name == "PERSIST" && g.held:
		g.held = name == "SADD" // the row that is kept follows
		if at, ok := g.at[target{name, key}]; ok {
			g.cmds[at].args = append(g.cmds[at].args, args...)
			return
		}
		g.at[target{name, key}] = len(g.cmds)
	}
	n := len(g.cmds)
	if cap(g.cmds) > n {
		g.cmds = g.cmds[:n+1]
	} else {
		g.cmds = append(g.cmds, setCommand{})
	}
	c := &g.cmds[n]
	c.name, c.key, c.args = name, key, append(c.args[:0], args...)
}

// answer reads the replies to the group into the results of its rows. With an
// error, those still say what was replaced.
func (g *group) answer(replies []rueidis.RedisResult) error {
	for i := range g.es {
		g.es[i].rs[0] = Result{}
	}
	values, err := executed(replies, strconv.Itoa(len(g.es))+" rows")
	for i, at := range g.rows {
		if at < len(values) && values[at].Error() == nil {
			g.es[i].rs[0].Old = bytesOf(values[at])
		}
	}
	return err
}

func (g *group) release() {
	for i := range g.cmds {
		clear(g.cmds[i].args)
		g.cmds[i] = setCommand{args: g.cmds[i].args[:0]}
	}
	clear(g.at)
	g.es, g.cmds, g.rows = nil, g.cmds[:0], g.rows[:0]
	g.step.reset()
	groups.Put(g)
}
