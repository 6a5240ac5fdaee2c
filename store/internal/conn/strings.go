package conn

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"github.com/redis/rueidis"
)

// Strings reads many strings for one operation.
type Strings struct {
	c     *Conn
	off   atomic.Bool   // no plain connections
	run   string        // of the server to which the ordinary connection leads,
	known chan struct{} // once this is closed
}

// Strings returns a reader. With long answers to come it has connections of
// its own, so that they hold up no other operation, and which lead to the
// server to which the ordinary one leads at this moment; where that is not
// certain, it reads by the ordinary one. After a failover behind one address
// the two could lead to different servers, and an old master answers for ever.
func (c *Conn) Strings(ctx context.Context, long bool) *Strings {
	s := &Strings{c: c, known: make(chan struct{})}
	if !long || c.plains == nil {
		s.off.Store(true)
		return s
	}
	go func() { // while the first answer is on its way
		defer close(s.known)
		s.run, _ = RunID(ctx, c.Client)
	}()
	return s
}

// ask is plain.ask. It tells whether that has done it, and if not an error that
// leaves nothing else to try.
func (s *Strings) ask(ctx context.Context, name, prefix string, keys, args []string, each func(i int, b []byte)) (n int, ok bool, err error) {
	if s.off.Load() {
		return 0, false, nil
	}
	p := s.c.plains.take()
	if p == nil {
		p, err = s.c.dialPlain(ctx)
	}
	if err == nil {
		n, err = p.ask(ctx, name, prefix, keys, args, each)
	}
	<-s.known
	if err == nil && p.run == s.run {
		s.c.plains.put(p)
		return n, true, nil
	}
	if p == nil || err == nil { // none can be had, or it leads elsewhere
		s.off.Store(true)
	}
	if p != nil {
		_ = p.Close()
	}
	s.c.plains.drop(false)
	return 0, false, ctx.Err()
}

// MGet hands the bytes under prefix + each of the ids to each, nil for those
// that hold no string. They are each's until it returns. When a connection
// fails halfway, each hears of all of them once more, from the first one on.
func (s *Strings) MGet(ctx context.Context, prefix string, ids []string, each func(i int, b []byte)) error {
	n, ok, err := s.ask(ctx, "MGET", prefix, ids, nil, each)
	if err != nil {
		return err
	}
	if !ok {
		raws, err := MGet(ctx, s.c.Client, Keys(prefix, ids))
		for i, raw := range raws {
			each(i, raw)
		}
		return err
	}
	return counted(n, len(ids))
}

// Members returns the members of a sorted set, of which there are about n.
func (s *Strings) Members(ctx context.Context, key string, n int) ([]string, error) {
	ids := make([]string, 0, n)
	var chunk strings.Builder // from which several ids are cut
	_, ok, err := s.ask(ctx, "ZRANGE", "", []string{key}, []string{"0", "-1"}, func(_ int, b []byte) {
		if chunk.Cap()-chunk.Len() < len(b) {
			chunk = strings.Builder{}
			chunk.Grow(max(chunkSize, len(b)))
		}
		at := chunk.Len()
		chunk.Write(b)
		ids = append(ids, chunk.String()[at:])
	})
	if ok || err != nil {
		return ids, err
	}
	return s.c.Client.Do(ctx, s.c.Client.B().Zrange().Key(key).Min("0").Max("-1").Build()).AsStrSlice()
}

const chunkSize = 8 << 10

// Keys returns prefix + id for all ids, cut from one string.
func Keys(prefix string, ids []string) []string {
	n := 0
	for _, id := range ids {
		n += len(prefix) + len(id)
	}
	var b strings.Builder
	b.Grow(n)
	for _, id := range ids {
		b.WriteString(prefix)
		b.WriteString(id)
	}
	all, keys := b.String(), make([]string, len(ids))
	for i, id := range ids {
		n := len(prefix) + len(id)
		keys[i], all = all[:n], all[n:]
	}
	return keys
}

// MGet returns the bytes under the keys, nil for those that hold no string.
func MGet(ctx context.Context, c rueidis.Client, keys []string) ([][]byte, error) {
	return StringsOf(c.Do(ctx, c.B().Mget().Key(keys...).Build()), len(keys))
}

// StringsOf reads the answer to an MGET of n keys.
func StringsOf(r rueidis.RedisResult, n int) ([][]byte, error) {
	ms, err := r.ToArray()
	if err == nil {
		err = counted(len(ms), n)
	}
	if err != nil {
		return nil, err
	}
	raws := make([][]byte, n)
	for i := range ms {
		if !ms[i].IsNil() {
			if raws[i], err = ms[i].AsBytes(); err != nil {
				return nil, err
			}
			if raws[i] == nil {
				raws[i] = []byte{} // stored, and no row
			}
		}
	}
	return raws, nil
}

func counted(n, want int) error {
	if n != want {
		return fmt.Errorf("MGET of %d keys answered %d", want, n)
	}
	return nil
}

// RunID names the server process behind a client of one node.
func RunID(ctx context.Context, c rueidis.Client) (string, error) {
	info, err := c.Do(ctx, c.B().Info().Section("server").Build()).ToString()
	if err != nil {
		return "", err
	}
	id := runID(info)
	if id == "" {
		return "", errNoRunID
	}
	return id, nil
}

var errNoRunID = errors.New("no run_id")

func runID(info string) string {
	_, rest, _ := strings.Cut(info, "\nrun_id:")
	id, _, _ := strings.Cut(rest, "\r")
	return id
}
