package write

import (
	"strconv"

	"github.com/nacre-store/nacre/store/internal/key"
)

// An arena makes the keys and numbers of commands, many to an allocation. What
// it has made is never written again: the connection may read it for as long
// as a reply is missing.
type arena struct{ free []byte }

// arenaChunk holds the texts of some Puts.
const arenaChunk = 4 << 10

// done returns as a string what was appended to a.free, which has room for it
// or has been moved to where it has.
func (a *arena) done(b []byte) string {
	n := len(b)
	a.free = b[n:n:cap(b)]
	return text(b[:n:n])
}

// room makes sure of n bytes.
func (a *arena) room(n int) []byte {
	if cap(a.free) < n {
		a.free = make([]byte, 0, max(n, arenaChunk))
	}
	return a.free[:0]
}

// key is [key.Namespace.Append].
func (a *arena) key(ns *key.Namespace, typ, part, id string) string {
	return a.done(ns.Append(a.room(maxKey+len(id)), typ, part, id))
}

// maxKey is more than most keys take before the id; others are moved.
const maxKey = 128

func (a *arena) join(s, t string) string {
	return a.done(append(append(a.room(len(s)+len(t)), s...), t...))
}

func (a *arena) int(n int64) string { return a.done(strconv.AppendInt(a.room(20), n, 10)) }

// part returns the key of a part of the op's row.
func (a *arena) part(o *Op, part string) string { return a.key(&o.NS, o.Table.Name, part, o.ID) }

// index returns the key of an index, or of the set of one of its values.
func (a *arena) index(o *Op, x Index, value string) string {
	if !x.Field {
		value = ""
	}
	return a.key(&o.NS, o.Table.Name, x.Name, value)
}

// keeper names the op's row in the held set of another one.
func (a *arena) keeper(o *Op) string {
	b := append(a.room(len(o.Table.Name)+1+len(o.ID)), o.Table.Name...)
	return a.done(append(append(b, ':'), o.ID...))
}
