package write

import (
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

// known is the command that runs the script on a server which knows it.
func (s script) known(b rueidis.Builder, keys, args []string) rueidis.Completed {
	return command(b, "EVALSHA", s.sha, keys, args)
}

// whole is the command with the script's text.
func (s script) whole(b rueidis.Builder, keys, args []string) rueidis.Completed {
	return command(b, "EVAL", s.text, keys, args)
}

// command has the slot of its first key, which is that of all.
func command(b rueidis.Builder, name, script string, keys, args []string) rueidis.Completed {
	c := b.Arbitrary(name, script, strconv.Itoa(len(keys)))
	if len(keys) > 0 {
		c = c.Keys(keys[0]).Args(keys[1:]...)
	}
	return c.Args(args...).Build()
}

// unknown tells whether the server does not know the script: it has done
// nothing.
func unknown(r rueidis.RedisResult) bool {
	e, ok := rueidis.IsRedisErr(r.Error())
	return ok && e.IsNoScript()
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
