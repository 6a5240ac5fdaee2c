package buffer

import (
	"slices"
	"time"

	"github.com/nacre-store/nacre/store/internal/write"
)

// A gen is one atomic step of a key that may be sent twice. Its ops have one
// of these forms:
//
//	[Delete] [Put] [HashPut, HashDelete of each hash]    at least one of them
//	Append...
//	Clear
//	SeriesAppend
//
// The first form sets everything that it touches to a value. Of appends only
// those do anything that bring new elements; where none does, the whole step
// does nothing, so that nothing else may stand beside them.
type gen struct {
	ops     []write.Op
	since   time.Time // the oldest write was accepted
	cost    cost
	waiters []*waiter

	tries   int
	unknown int   // tries without an answer
	alone   int   // of them, those in a batch of its own between others that got through
	acked   int64 // by the lane at the last of those
	err     error // of the last try
}

// A step that would grow beyond this many elements is left as it is: the
// server carries out one step at a time.
const maxElems = 256

// What a write takes beside its bytes, by estimate.
const (
	opOverhead   = 640
	elemOverhead = 96
)

type cost struct {
	entries int
	bytes   int64
}

func (c *cost) add(d cost) { c.entries += d.entries; c.bytes += d.bytes }
func (c *cost) sub(d cost) { c.entries -= d.entries; c.bytes -= d.bytes }

func costOf(op *write.Op) cost {
	if len(op.Elems) == 0 || op.Kind == write.Append {
		c := cost{1, int64(opOverhead + len(op.Row) + len(op.ID))}
		for i := range op.Elems {
			c.add(elemCost(&op.Elems[i]))
		}
		return c
	}
	c := cost{0, opOverhead}
	for i := range op.Elems {
		c.add(elemCost(&op.Elems[i]))
	}
	return c
}

func elemCost(e *write.Elem) cost {
	return cost{1, int64(elemOverhead + len(e.ID) + len(e.Value))}
}

// sets tells whether the gen has the first form.
func (g *gen) sets() bool {
	switch g.ops[0].Kind {
	case write.Append, write.Clear, write.SeriesAppend:
		return false
	}
	return true
}

// find returns the place of an op, or -1.
func (g *gen) find(kind write.Kind, part string) int {
	for i := range g.ops {
		if g.ops[i].Kind == kind && g.ops[i].Part == part {
			return i
		}
	}
	return -1
}

// onlyHashes tells whether the gen touches nothing but hashes.
func (g *gen) onlyHashes() bool {
	return g.ops[0].Kind == write.HashPut || g.ops[0].Kind == write.HashDelete
}

// takes tells whether the op may join the gen.
func (g *gen) takes(op *write.Op) bool {
	switch op.Kind {
	case write.Put:
		return g.sets()
	case write.HashPut:
		// Behind a lone Delete it fails, and it must fail alone.
		return g.sets() && (g.find(write.Delete, "") < 0 || g.find(write.Put, "") >= 0) && g.roomFor(op)
	case write.HashDelete:
		return g.sets() && g.roomFor(op)
	case write.Append:
		return g.ops[0].Kind == write.Append && g.roomFor(op)
	case write.SeriesAppend: // what may have landed is looked for as it was sent
		return g.unknown == 0 && g.roomFor(op)
	}
	return false
}

func (g *gen) roomFor(op *write.Op) bool {
	n := len(op.Elems) + len(g.ops)
	for i := range g.ops {
		n += len(g.ops[i].Elems)
	}
	return n <= maxElems
}

// frees returns what the op, which the gen takes, takes the place of.
func (g *gen) frees(op *write.Op) (c cost) {
	switch op.Kind {
	case write.Put:
		if i := g.find(write.Put, ""); i >= 0 {
			c = costOf(&g.ops[i])
		}
	case write.HashPut, write.HashDelete:
		for i := range op.Elems {
			for j := range g.ops {
				if o := &g.ops[j]; o.Part == op.Part && (o.Kind == write.HashPut || o.Kind == write.HashDelete) {
					if n := index(o.Elems, op.Elems[i].ID); n >= 0 {
						c.add(elemCost(&o.Elems[n]))
					}
				}
			}
		}
	}
	return c
}

// join takes the op in. It returns by how much the gen has grown, and whether
// the op took the place of something.
func (g *gen) join(op *write.Op) (grown cost, replaced bool) {
	switch op.Kind {
	case write.Put:
		i := g.find(write.Put, "")
		if replaced = i >= 0; replaced {
			grown.sub(costOf(&g.ops[i]))
		} else {
			if i = 0; len(g.ops) > 0 && g.ops[0].Kind == write.Delete {
				i = 1
			}
			g.ops = slices.Insert(g.ops, i, write.Op{})
		}
		set(&g.ops[i], op)
		grown.add(costOf(&g.ops[i]))
	case write.Append:
		g.ops = append(g.ops, write.Op{})
		set(&g.ops[len(g.ops)-1], op)
		grown = costOf(op)
	case write.SeriesAppend:
		first := &g.ops[0]
		first.Elems = append(first.Elems, op.Elems...)
		for i := range op.Elems {
			grown.add(elemCost(&op.Elems[i]))
		}
		if over := int64(len(first.Elems)) - first.Capacity; first.Capacity > 0 && over > 0 { // would be dropped at once
			for i := range first.Elems[:over] {
				grown.sub(elemCost(&first.Elems[i]))
			}
			first.Elems = first.Elems[over:]
		}
	case write.HashPut, write.HashDelete:
		other := write.HashPut
		if op.Kind == other {
			other = write.HashDelete
		}
		for i := range op.Elems {
			replaced = g.drop(other, op.Part, op.Elems[i].ID, &grown) || replaced
			replaced = g.field(op, &op.Elems[i], &grown) || replaced
		}
	}
	g.cost.add(grown)
	return grown, replaced
}

// start makes the op the first one of the gen.
func (g *gen) start(op *write.Op, now time.Time) {
	*g = gen{ops: g.ops[:0], since: now, cost: costOf(op)}
	if cap(g.ops) == 0 {
		g.ops = make([]write.Op, 1)
	} else {
		g.ops = g.ops[:1]
	}
	set(&g.ops[0], op)
}

// set makes an op of the gen what the caller's op is. Row and elements are the
// gen's from now on; the facts are copied.
func set(to, op *write.Op) {
	in, refs := to.Facts.In[:0], to.Facts.Refs[:0]
	*to = *op
	to.Facts.In, to.Facts.Refs = append(in, op.Facts.In...), append(refs, op.Facts.Refs...)
}

func index(elems []write.Elem, id string) int {
	for i := range elems {
		if elems[i].ID == id {
			return i
		}
	}
	return -1
}

// field sets one field of a hash and tells whether it was set before.
func (g *gen) field(op *write.Op, e *write.Elem, grown *cost) bool {
	grown.add(elemCost(e))
	i := g.find(op.Kind, op.Part)
	if i < 0 {
		o := *op
		o.Elems = []write.Elem{*e}
		g.ops = append(g.ops, o)
		grown.bytes += opOverhead
		return false
	}
	elems := &g.ops[i].Elems
	n := index(*elems, e.ID)
	if n < 0 {
		*elems = append(*elems, *e)
		return false
	}
	grown.sub(elemCost(&(*elems)[n]))
	(*elems)[n] = *e
	return true
}

// drop takes a field out of an op of the kind, and the op with its last field.
func (g *gen) drop(kind write.Kind, part, id string, grown *cost) bool {
	i := g.find(kind, part)
	if i < 0 {
		return false
	}
	elems := g.ops[i].Elems
	n := index(elems, id)
	if n < 0 {
		return false
	}
	grown.sub(elemCost(&elems[n]))
	if g.ops[i].Elems = slices.Delete(elems, n, n+1); len(elems) == 1 {
		g.ops = slices.Delete(g.ops, i, i+1)
		grown.bytes -= opOverhead
	}
	return true
}

// row returns the row as it is after the gen; ok is false where the gen says
// nothing about it, and raw is nil where it is deleted.
func (g *gen) row() (raw []byte, ok bool) {
	for i := len(g.ops) - 1; i >= 0; i-- {
		if g.ops[i].WritesRow() {
			return g.ops[i].Row, true
		}
	}
	return nil, false
}
