package write

import (
	"context"
	"crypto/sha1"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"github.com/redis/rueidis"
)

//go:embed apply.lua
var applyLua string

// A script is sent by its hash; a server that does not know it gets the text.
type script struct{ text, sha string }

func newScript(text string) script {
	sum := sha1.Sum([]byte(text))
	return script{text, hex.EncodeToString(sum[:])}
}

var (
	applyScript = newScript(applyLua)
	leave       = newScript(leaveScript)
)

// run sends a script, and again by its text where the server answers NOSCRIPT.
func (x *Executor) run(ctx context.Context, s script, keys, args []string) rueidis.RedisResult {
	b := x.Conn.Client.B()
	r := x.Conn.Client.Do(ctx, b.Evalsha().Sha1(s.sha).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build())
	if re, ok := rueidis.IsRedisErr(r.Error()); ok && re.IsNoScript() {
		r = x.Conn.Client.Do(ctx, b.Eval().Script(s.text).Numkeys(int64(len(keys))).Key(keys...).Arg(args...).Build())
	}
	return r
}

// A Check is a condition of an atomic step.
type Check struct {
	kind, key, a, b string
}

// RowIs checks a row's bytes; nil is absent.
func RowIs(key string, row []byte) Check {
	if row == nil {
		return Check{kind: "absent", key: key}
	}
	return Check{kind: "row", key: key, a: text(row)}
}

// FieldIs checks a hash field's bytes; nil is absent.
func FieldIs(key, field string, value []byte) Check {
	if value == nil {
		return Check{kind: "nofield", key: key, a: field}
	}
	return Check{kind: "field", key: key, a: field, b: text(value)}
}

// FieldsAre checks how many fields a hash has.
func FieldsAre(key string, n int) Check {
	return Check{kind: "fields", key: key, a: strconv.Itoa(n)}
}

// TotalIs checks how many elements were ever appended to the list whose seen
// key is given.
func TotalIs(seen, total string) Check { return Check{kind: "total", key: seen, a: total} }

// arguments collects what the script takes.
type arguments struct {
	keys []string
	at   map[string]string
	argv []string
}

func (a *arguments) key(k string) string {
	if i, ok := a.at[k]; ok {
		return i
	}
	a.keys = append(a.keys, k)
	i := strconv.Itoa(len(a.keys))
	if a.at == nil {
		a.at = map[string]string{}
	}
	a.at[k] = i
	return i
}

func (a *arguments) put(args ...string) { a.argv = append(a.argv, args...) }

// apply runs the ops as one atomic step behind the checks.
func (x *Executor) apply(ctx context.Context, checks []Check, ops []Op) ([]Result, error) {
	var a arguments
	for i := range ops {
		if o := &ops[i]; o.Kind == HashPut {
			checks = append(checks, x.existsUnlessPut(o, ops)...)
		}
	}
	a.put(strconv.Itoa(len(checks)))
	for _, c := range checks {
		a.put(c.kind, a.key(c.key), c.a, c.b)
	}
	var appends []*Op
	for i := range ops {
		if ops[i].Kind == Append && len(ops[i].Elems) > 0 {
			appends = append(appends, &ops[i])
		}
	}
	a.put(strconv.Itoa(len(appends)))
	for _, o := range appends {
		a.put(a.key(o.partKey(o.Part)), a.key(o.partKey(Seen(o.Part))),
			strconv.FormatInt(o.Capacity, 10), strconv.FormatInt(o.Expected, 10), strconv.Itoa(len(o.Elems)))
		for _, e := range o.Elems {
			a.put(e.ID, text(e.Value))
		}
	}
	n := 0
	for i := range ops {
		o := &ops[i]
		var s sequence
		switch o.Kind {
		case Append:
			if len(o.Elems) > 0 { // before the row, whose commands carry the TTL over
				n++
				a.put("1", "APPEND", a.key(o.partKey(o.Part)), strconv.Itoa(n))
			}
			o.rowCommands(&s)
		default:
			s = o.commands()
		}
		for _, c := range s.commands {
			switch c.name {
			case kept:
				a.put("3", kept, a.key(c.key), a.key(o.partKey(Held)))
			default:
				a.put(strconv.Itoa(len(c.args)), c.name, a.key(c.key))
			}
			a.put(c.args...)
		}
		if o.Kind == HashPut {
			a.put("1", "TTLOF", a.key(o.partKey(o.Part)), a.key(o.RowKey()))
		}
	}
	reply, err := x.run(ctx, applyScript, a.keys, a.argv).ToArray()
	if err != nil {
		return nil, err
	}
	return results(reply, ops)
}

// existsUnlessPut guards a hash against becoming a ghost: a value of a row
// that does not exist and is not written in the same step.
func (x *Executor) existsUnlessPut(o *Op, ops []Op) []Check {
	for i := range ops {
		if p := &ops[i]; (p.Kind == Put || p.Kind == Append) && p.RowKey() == o.RowKey() {
			return nil
		}
	}
	return []Check{{kind: "exists", key: o.RowKey()}}
}

// results reads the reply of the apply script.
func results(reply []rueidis.RedisMessage, ops []Op) ([]Result, error) {
	if len(reply) == 0 {
		return nil, errors.New("empty reply of a script")
	}
	status, err := reply[0].ToString()
	if err != nil {
		return nil, err
	}
	detail := ""
	if len(reply) > 1 {
		detail, _ = reply[1].ToString()
	}
	switch status {
	case "DUP":
		rs := make([]Result, len(ops))
		for i := range rs {
			rs[i].Duplicate = true
		}
		return rs, nil
	case "CONFLICT":
		return nil, fmt.Errorf("%w: %s", ErrConflict, detail)
	case "ABSENT":
		return nil, fmt.Errorf("%w: %s", ErrAbsent, detail)
	}
	rs := make([]Result, len(ops))
	next := 1
	for i := range ops {
		switch ops[i].Kind {
		case Put, Append, Delete:
			if next >= len(reply) {
				return nil, errors.New("short reply of a script")
			}
			rs[i].Old = bytesOf(reply[next])
			next++
		}
	}
	return rs, nil
}

func bytesOf(m rueidis.RedisMessage) []byte {
	b, err := m.AsBytes()
	if err != nil {
		return nil
	}
	if b == nil {
		b = []byte{}
	}
	return b
}

// text passes bytes to a command without a copy. The bytes must stay as they
// are until the reply is there, and for ever when there is none.
func text(b []byte) string { return rueidis.BinaryString(b) }
