package store_test

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"sync"
	"testing"

	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
	"github.com/nacre-store/nacre/store/wire"
)

// A job is a row of a small table of which tests have several versions, as
// programs of different schemas have.
type job struct {
	ID, Status, Owner, Kind, Extra string
}

func (j *job) append(w *wire.Writer) {
	m := w.Map(2, 4)
	wire.PutString(w, "\xa2id", j.ID)
	wire.PutString(w, "\xa6status", j.Status)
	wire.PutOptString(w, "\xa5owner", j.Owner)
	wire.PutOptString(w, "\xa4kind", j.Kind)
	w.End(m, j.Extra)
}

func (j *job) take(r *wire.Reader) {
	m := r.Map(2, 4)
	r.TakeString("\xa2id", &j.ID)
	r.TakeString("\xa6status", &j.Status)
	r.TakeOptString("\xa5owner", &j.Owner)
	r.TakeOptString("\xa4kind", &j.Kind)
	r.End(m, &j.Extra)
}

// jobSchema is one version: its table and what its package would say.
type jobSchema struct {
	table  *store.Table[string, job]
	schema store.Schema
}

// jobs makes a version. The first has the index open by state and by_owner.
func jobs(fingerprint string, change ...func(*store.Table[string, job])) jobSchema {
	t := &store.Table[string, job]{
		Name: "job", Codec: wire.NewCodec("job", (*job).append, (*job).take), Key: store.StringKey[string]{},
		ID:    func(j *job) string { return j.ID },
		State: func(j *job) string { return j.Status },
		States: []store.State{
			{Name: "open", Values: []string{"NEW", "RUNNING"}},
			{Name: "closed", Values: []string{"DONE", "FAILED"}, TTL: week},
		},
		Indexes: []store.Index[job]{
			{Name: "open", State: "open"},
			{Name: "by_owner", By: "owner", Field: func(j *job) string { return j.Owner }},
		},
	}
	for _, f := range change {
		f(t)
	}
	return jobSchema{t, store.Schema{Name: "work", Fingerprint: fingerprint, Tables: []store.Described{t}}}
}

// byKind adds an index.
func byKind(t *store.Table[string, job]) {
	t.Indexes = append(t.Indexes, store.Index[job]{Name: "by_kind", By: "kind", Field: func(j *job) string { return j.Kind }})
}

// A worker is a process with one version of the schema.
type worker struct {
	*store.Store
	store.Rows[string, job]
	table *store.Table[string, job]
	log   *logged
}

func (v jobSchema) open(t testing.TB, srv *redistest.Server, change ...func(*store.Config)) *worker {
	t.Helper()
	log := &logged{}
	cfg := at(srv.Port())
	cfg.Schemas = []store.Schema{v.schema}
	cfg.Logger = slog.New(slog.NewTextHandler(log, nil))
	for _, f := range change {
		f(&cfg)
	}
	s, err := store.Open(t.Context(), cfg)
	must(t, err)
	w := &worker{s, v.table.Rows(s), v.table, log}
	t.Cleanup(func() { _ = s.Close(context.Background()) })
	return w
}

// tenant is the worker on another trader's rows.
func (w *worker) tenant(t testing.TB, name string) *worker {
	t.Helper()
	s, err := w.Tenant(name, "")
	must(t, err)
	return &worker{s, w.table.Rows(s), w.table, w.log}
}

func (w *worker) index(name string, value ...string) store.Set[string, job] {
	return w.table.Index(w.Rows, name, value...)
}

// put stores n jobs, open ones and closed ones, of two owners and two kinds.
func (w *worker) put(t testing.TB, prefix string, n int) {
	t.Helper()
	for i := range n {
		j := job{ID: fmt.Sprintf("%s-%03d", prefix, i), Status: []string{"NEW", "RUNNING", "DONE"}[i%3], Owner: []string{"ann", "bob"}[i%2], Kind: []string{"x", "y"}[i/2%2]}
		must(t, w.Put(t.Context(), j))
	}
}

// logged keeps what is logged.
type logged struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *logged) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *logged) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}
