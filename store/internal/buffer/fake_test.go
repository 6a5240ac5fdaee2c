package buffer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"time"

	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/internal/key"
	"github.com/nacre-store/nacre/store/internal/write"
)

var (
	errReset = errors.New("connection reset")
	errDial  = &conn.DialError{Addr: "redis:6379", Err: errors.New("connection refused")}
)

// A server does what Redis does with the steps of a buffer.
type server struct {
	mu     sync.Mutex
	rows   map[string]string
	lists  map[string][]string
	hashes map[string]map[string]string
	flying map[string]int // steps under way by key
	failed []string       // what was sent wrongly

	steps int
	sends int
	// fault is asked before each batch and says what becomes of it.
	fault func(batch int) fault
}

// A fault of a batch.
type fault struct {
	err     error         // instead of an answer
	applied int           // how many steps were carried out before the link broke; those are not answered either
	delay   time.Duration // before anything
	each    func(op *write.Op) error
}

func newServer() *server {
	return &server{rows: map[string]string{}, lists: map[string][]string{}, hashes: map[string]map[string]string{}, flying: map[string]int{}}
}

func (s *server) send(ctx context.Context, steps []write.Batch) [][]write.Result {
	s.mu.Lock()
	s.sends++
	var f fault
	if s.fault != nil {
		f = s.fault(s.sends)
	}
	for _, b := range steps {
		k := b.Ops[0].RowKey()
		if s.flying[k]++; s.flying[k] > 1 {
			s.failed = append(s.failed, k+" is under way twice")
		}
		if len(b.Ops) > 1 != b.Atomic {
			s.failed = append(s.failed, k+" has several ops that are not one step")
		}
	}
	s.mu.Unlock()
	if f.delay > 0 {
		select {
		case <-time.After(f.delay):
		case <-ctx.Done():
			f.err = ctx.Err()
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	rs := make([][]write.Result, len(steps))
	for i, b := range steps {
		s.flying[b.Ops[0].RowKey()]--
		rs[i] = make([]write.Result, len(b.Ops))
		err := f.err
		if f.err == nil || i < f.applied {
			err = nil
			if f.each != nil {
				err = f.each(&b.Ops[0])
			}
			if err == nil {
				s.steps++
				err = s.apply(b.Ops)
			}
			if f.err != nil {
				err = f.err
			}
		}
		for j := range rs[i] {
			rs[i][j].Err = err
		}
	}
	return rs
}

// apply is the apply script.
func (s *server) apply(ops []write.Op) error {
	total, fresh := 0, 0
	ids := map[string][]string{} // of lists, as they would be
	list := func(k string) []string {
		if l, ok := ids[k]; ok {
			return l
		}
		return s.lists[k]
	}
	row := map[string]int{} // which append writes it
	for i := range ops {
		o := &ops[i]
		if o.Kind != write.Append {
			continue
		}
		l, n := slices.Clone(list(o.PartKey())), 0
		for _, e := range o.Elems {
			total++
			if !slices.Contains(l, e.ID) {
				l = append(l, e.ID)
				n++
			}
		}
		if n > 0 {
			fresh += n
			row[o.RowKey()] = i
			if o.Count >= 0 && int64(len(l)) != o.Count {
				return write.ErrConflict
			}
		}
		ids[o.PartKey()] = l
	}
	if total > 0 && fresh == 0 {
		return nil
	}
	put := slices.ContainsFunc(ops, func(o write.Op) bool { return o.Kind == write.Put })
	for i := range ops {
		o := &ops[i]
		if _, ok := s.rows[o.RowKey()]; o.Kind == write.HashPut && !ok && !put {
			return write.ErrAbsent
		}
	}
	for i := range ops {
		o := &ops[i]
		switch o.Kind {
		case write.Put:
			s.rows[o.RowKey()] = string(o.Row)
		case write.Delete:
			delete(s.rows, o.RowKey())
			for _, c := range o.Table.Collections {
				delete(s.lists, o.NS.Base(o.Table.Name, c.Name)+o.ID)
				delete(s.hashes, o.NS.Base(o.Table.Name, c.Name)+o.ID)
			}
		case write.Append:
			if at, ok := row[o.RowKey()]; ok && at == i || len(o.Elems) == 0 {
				s.rows[o.RowKey()] = string(o.Row)
			}
			s.lists[o.PartKey()] = ids[o.PartKey()]
		case write.Clear:
			delete(s.lists, o.PartKey())
		case write.HashPut:
			h := s.hashes[o.PartKey()]
			if h == nil {
				h = map[string]string{}
				s.hashes[o.PartKey()] = h
			}
			for _, e := range o.Elems {
				h[e.ID] = string(e.Value)
			}
		case write.HashDelete:
			for _, e := range o.Elems {
				delete(s.hashes[o.PartKey()], e.ID)
			}
			if len(s.hashes[o.PartKey()]) == 0 {
				delete(s.hashes, o.PartKey())
			}
		case write.SeriesAppend:
			for _, e := range o.Elems {
				s.lists[o.RowKey()] = append(s.lists[o.RowKey()], string(e.Value))
			}
		}
	}
	return nil
}

// landed looks for the elements among the last ones of the series.
func (s *server) landed(_ context.Context, op *write.Op) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	l := s.lists[op.RowKey()]
	for at := range l {
		for n := range op.Elems {
			if at+n >= len(l) || l[at+n] != string(op.Elems[n].Value) {
				break
			}
			if n == len(op.Elems)-1 {
				return true, nil
			}
		}
	}
	return false, nil
}

// state is everything stored, as one text.
func (s *server) state() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return fmt.Sprintf("%v\n%v\n%v", s.rows, s.lists, s.hashes)
}

// of returns a buffer in front of the server.
func of(s *server, change ...func(*Options)) *Buffer {
	o := Options{
		Interval: 10 * time.Millisecond, Entries: 1000, Bytes: 1 << 20, MaxBlock: time.Second,
		Send: s.send, Landed: s.landed, Log: slog.New(slog.NewTextHandler(io.Discard, nil)),
		Describe: func(op *write.Op, err error) error { return fmt.Errorf("%s: %w", op.ID, err) },
	}
	for _, f := range change {
		f(&o)
	}
	return New(o)
}

var ns, _ = key.New("trader", "", "", false)

var orders = &write.Table{Name: "order", Base: "trader-order:", Indexes: []write.Index{{Name: "open"}}, Collections: []write.Collection{
	{Name: "events", List: true}, {Name: "notes", List: true}, {Name: "fees"},
}}

var ticks = &write.Table{Name: "tick", Base: "trader-tick:"}

func put(id, row string) *write.Op {
	return &write.Op{Kind: write.Put, NS: ns, Table: orders, ID: id, Row: []byte(row), Count: -1, Facts: write.Facts{In: []write.Place{{Listed: true}}}}
}

func del(id string) *write.Op { return &write.Op{Kind: write.Delete, NS: ns, Table: orders, ID: id} }

func appended(id, row, list string, count int64, ids ...string) *write.Op {
	op := put(id, row)
	op.Kind, op.Part, op.Count = write.Append, list, count
	for _, e := range ids {
		op.Elems = append(op.Elems, write.Elem{ID: e, Value: []byte(e)})
	}
	return op
}

func part(kind write.Kind, id, name string, elems ...write.Elem) *write.Op {
	return &write.Op{Kind: kind, NS: ns, Table: orders, ID: id, Part: name, Elems: elems}
}

func field(k, v string) write.Elem { return write.Elem{ID: k, Value: []byte(v)} }

func tick(id string, values ...string) *write.Op {
	op := &write.Op{Kind: write.SeriesAppend, NS: ns, Table: ticks, ID: id}
	for _, v := range values {
		op.Elems = append(op.Elems, write.Elem{Value: []byte(v)})
	}
	return op
}

// oom is an answer with which the server puts a command off.
type oom struct{}

func (*oom) Error() string { return "OOM command not allowed" }
func (*oom) Unwrap() error { return conn.NotSent(errors.New("OOM")) }
