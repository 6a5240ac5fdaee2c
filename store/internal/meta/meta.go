// Package meta keeps what a tenant's processes must know of each other: which
// schemas they have, which of them are present, and which indexes are
// complete.
//
// A row is listed in an index by whoever writes it. A process of an older
// schema does not know a newer index, so an index is complete only when every
// stored row was listed in it and no such process can write. The marker that
// says so is set by whoever meets a table without rows, and by a Verify that
// has listed what was stored; it is taken back by a process that does not know
// the index, before its first write. Readers ask for the marker in the round
// trip in which they list the index.
package meta

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/internal/key"
)

var (
	//go:embed register.lua
	registerLua string
	//go:embed apply.lua
	applyLua string

	register = rueidis.NewLuaScript(registerLua)
	apply    = rueidis.NewLuaScript(applyLua)
)

const (
	// Lease is how long a process counts as present behind its last word.
	Lease = time.Minute
	// Renew is how often a process says that it is present.
	Renew = Lease / 4
	// trust is how long a process may write behind its last word. The rest of
	// the lease is for a write that is held up on its way.
	trust = Lease / 2
)

// A Meta is one tenant's, as one process sees it.
type Meta struct {
	conn    *conn.Conn
	schemas []Schema
	process string
	keys    []string // meta, present, the ids of each table
	tables  []string // of keys[2:]
	newer   func([]Other)

	asking atomic.Pointer[chan struct{}] // closed when he who asks has got an answer; nil while nobody does
	until  atomic.Int64                  // clock() until which the process may write
}

// New returns the tenant's, of which nothing has been asked yet. Process is a
// name that no other process has. What newer is told, it is told again and
// again.
func New(c *conn.Conn, ns key.Namespace, ids string, schemas []Schema, process string, newer func([]Other)) *Meta {
	m := &Meta{conn: c, schemas: schemas, newer: newer, process: process}
	m.keys = []string{ns.Name(Word, "meta"), ns.Name(Word, "present")}
	for _, s := range schemas {
		m.process += " " + s.Name + ":" + s.Fingerprint
		for _, t := range s.Tables {
			m.keys = append(m.keys, ns.Name(t.Name, ids))
			m.tables = append(m.tables, t.Name)
		}
	}
	return m
}

// Word is the type word of the store's own keys: the hash meta, whose fields
// are below, and the sorted set present, which lists the processes by the ms at
// which each last said so.
const Word = "nacre"

var start = time.Now()

// clock is monotonic and does not stop for less than a suspended machine.
func clock() int64 { return int64(time.Since(start)) }

// Ready makes sure that this process may write: that others know of it and of
// the indexes that it keeps up. It asks Redis once, and again only if this
// process has not said that it is present for a while.
func (m *Meta) Ready(ctx context.Context) error {
	for clock() >= m.until.Load() {
		err := conn.Retry(ctx, func() error {
			if err := conn.Alive(ctx); err != nil {
				return err
			}
			return m.due(ctx, false)
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// Register says that this process is present, or waits until another goroutine
// has tried to.
func (m *Meta) Register(ctx context.Context) error { return m.due(ctx, true) }

// due is Register, where it is due or is to be renewed. While nobody asks, the
// first who comes does: those who wait never keep each other from it.
func (m *Meta) due(ctx context.Context, renew bool) error {
	done := make(chan struct{})
	if m.asking.CompareAndSwap(nil, &done) {
		defer func() {
			m.asking.Store(nil)
			close(done)
		}()
		if !renew && clock() < m.until.Load() {
			return nil
		}
		return notSent(m.register(ctx))
	}
	other := m.asking.Load()
	if other == nil { // it has just ended
		return nil
	}
	select {
	case <-*other:
		return nil
	case <-ctx.Done():
		return conn.NotSent(ctx.Err())
	}
}

// Registered tells whether this process has said that it is present.
func (m *Meta) Registered() bool { return m.until.Load() > 0 }

// Forget makes the next write ask again, as behind a new connection: the server
// may be another one, which was told nothing.
func (m *Meta) Forget() {
	if m.until.Load() > 0 {
		m.until.Store(1)
	}
}

// notSent marks a lost reply as one after which the command can be sent again:
// these scripts do the same again.
func notSent(err error) error {
	if conn.Classify(err) == conn.Unknown {
		return conn.NotSent(err)
	}
	return err
}

func (m *Meta) register(ctx context.Context) error {
	asked := clock()
	t, err := m.ask(ctx)
	if err != nil {
		return err
	}
	p, newer := decide(m.schemas, t, m.conn.Now())
	if !p.empty() {
		if _, err := m.apply(ctx, p); err != nil {
			return err
		}
	}
	m.until.Store(asked + int64(trust))
	if m.newer != nil && len(newer) > 0 {
		m.newer(newer)
	}
	return nil
}

// ask says that this process is present and reads what the tenant says.
func (m *Meta) ask(ctx context.Context) (tenant, error) {
	t := tenant{empty: map[string]bool{}}
	reply, err := register.Exec(ctx, m.conn.Client, m.keys, []string{m.process, ms(Lease)}).ToArray()
	if err == nil && len(reply) != 3 {
		err = fmt.Errorf("%s: %d answers", m.keys[0], len(reply))
	}
	if err != nil {
		return t, err
	}
	var err1, err2, err3 error
	t.fields, err1 = reply[0].AsStrMap()
	t.present, err2 = reply[1].AsStrSlice()
	rows, err3 := reply[2].AsIntSlice()
	if err := errors.Join(err1, err2, err3); err != nil {
		return t, err
	}
	for i, n := range rows {
		t.empty[m.tables[i]] = n == 0
	}
	return t, nil
}

// apply carries out a plan and returns why each marker was not set.
func (m *Meta) apply(ctx context.Context, p plan) ([]string, error) {
	args := []string{ms(Lease), strconv.Itoa(len(p.drop))}
	args = append(args, p.drop...)
	args = append(args, strconv.Itoa(len(p.set)))
	for f, v := range p.set {
		args = append(args, f, v)
	}
	for _, k := range p.marks {
		ids := 0
		for i, t := range m.tables {
			if k.noRows && t == k.table {
				ids = i + 3 // counted from 1, behind two keys
			}
		}
		args = append(args, k.field, k.value, strconv.Itoa(ids), k.pkg, k.line, k.stands, k.as)
	}
	why, err := apply.Exec(ctx, m.conn.Client, m.keys, args).AsStrSlice()
	if err == nil && len(why) != len(p.marks) {
		err = fmt.Errorf("%s: %d answers for %d markers", m.keys[0], len(why), len(p.marks))
	}
	return why, err
}

// Built returns the command that asks for the marker of an index, and what it
// must answer.
func (m *Meta) Built(c rueidis.Client, table string, x Index) (cmd rueidis.Completed, want string) {
	return c.B().Hget().Key(m.keys[0]).Field(builtField + table + "." + x.Name).Build(), x.text()
}

// Others returns the processes that are present beside this one.
func (m *Meta) Others(ctx context.Context) ([]string, error) {
	since := m.conn.Now() - Lease.Milliseconds()
	c := m.conn.Client
	all, err := c.Do(ctx, c.B().Zrange().Key(m.keys[1]).Min(strconv.FormatInt(since, 10)).Max("+inf").Byscore().Build()).AsStrSlice()
	var others []string
	for _, p := range all {
		if p != m.process {
			others = append(others, p)
		}
	}
	return others, err
}

// Owns tells whether the key is one of these.
func (m *Meta) Owns(key string) bool {
	return m != nil && (key == m.keys[0] || key == m.keys[1])
}

// purge drops the meta key unless another process is present, which has said
// once what it knows and need not say so again.
var purge = rueidis.NewLuaScript(`
for _, process in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do
	if process ~= ARGV[1] then return 0 end
end
return redis.call('DEL', KEYS[1], KEYS[2])`)

// Purge drops what is stored of a tenant without rows, unless others use it.
func (m *Meta) Purge(ctx context.Context) error {
	m.until.Store(0)
	return purge.Exec(ctx, m.conn.Client, m.keys[:2], []string{m.process}).Error()
}

// Leave returns the command that says that this process has ended, once
// nothing of it is under way any more.
func (m *Meta) Leave(c rueidis.Client) rueidis.Completed {
	return c.B().Zrem().Key(m.keys[1]).Member(m.process).Build()
}

func ms(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
