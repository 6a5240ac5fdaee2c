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

// arguments collects what the apply script takes.
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

// appends adds the elements of the ops, which the script looks at before it
// writes anything.
func (a *arguments) appends(ops []Op) {
	n, head := 0, len(a.argv)
	a.put("")
	for i := range ops {
		o := &ops[i]
		if o.Kind != Append || len(o.Elems) == 0 {
			continue
		}
		n++
		list := o.partKey(o.Part)
		a.put(a.key(list), a.key(o.partKey(Seen(o.Part))), a.key(o.RowKey()), strconv.FormatInt(o.Capacity, 10), strconv.FormatInt(o.Count, 10))
		a.put(emptied(ops[:i], list), strconv.Itoa(len(o.Elems)))
		for _, e := range o.Elems {
			a.put(e.ID, text(e.Value))
		}
	}
	a.argv[head] = strconv.Itoa(n)
}

// emptied tells the script whether, since the last append to the list, one of
// the ops has emptied it.
func emptied(before []Op, list string) string {
	for i := len(before) - 1; i >= 0; i-- {
		if before[i].Removes(list) {
			return "1"
		}
		if before[i].Kind == Append && before[i].PartKey() == list {
			break
		}
	}
	return "0"
}

// existing guards hashes against becoming ghosts: values of a row that neither
// exists nor is written before them in the same step.
func existing(ops []Op) ([]Check, error) {
	var guards []Check
	for i := range ops {
		if ops[i].Kind != HashPut {
			continue
		}
		row, need := ops[i].RowKey(), true
		for j := range ops {
			if o := &ops[j]; o.WritesRow() && o.RowKey() == row {
				if need = o.Kind == Delete; need && j < i {
					return nil, fmt.Errorf("%w: %s is deleted in the same step", ErrAbsent, row)
				}
			}
		}
		if need {
			guards = append(guards, Check{kind: "exists", key: row})
		}
	}
	return guards, nil
}

// results reads the reply of the apply script.
func results(reply []rueidis.RedisMessage, ops []Op, rs []Result) error {
	if len(reply) == 0 {
		return errors.New("empty reply of a script")
	}
	status, err := reply[0].ToString()
	if err != nil {
		return err
	}
	detail := ""
	if len(reply) > 1 {
		detail, _ = reply[1].ToString()
	}
	clear(rs)
	switch status {
	case "DUP":
		for i := range rs {
			rs[i].Duplicate = true
		}
		return nil
	case "CONFLICT":
		return fmt.Errorf("%w: %s", ErrConflict, detail)
	case "ABSENT":
		return fmt.Errorf("%w: %s", ErrAbsent, detail)
	case "PART":
		for i := 2; i < len(reply); i += 2 {
			text, _ := reply[i].ToString()
			detail += ": " + text
		}
		return fmt.Errorf("%w: %s", ErrPartial, detail)
	}
	next := 1
	for i := range ops {
		if !ops[i].WritesRow() {
			continue
		}
		if next >= len(reply) {
			return errors.New("short reply of a script")
		}
		if reply[next].IsInt64() {
			rs[i].Duplicate = true
		} else {
			rs[i].Old = bytesOf(reply[next])
		}
		next++
	}
	return nil
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
