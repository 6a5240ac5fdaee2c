package store

import (
	"context"
	"crypto/rand"
	"fmt"
	"sync"
	"time"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/key"
	"github.com/nacre-store/nacre/store/internal/meta"
	"github.com/nacre-store/nacre/store/internal/write"
)

// presence is what this process says of itself to the others of each tenant
// that it writes.
type presence struct {
	process string
	schemas []meta.Schema
	mu      sync.Mutex
	of      map[string]*meta.Meta // by namespace
	cancel  context.CancelFunc
	done    sync.WaitGroup
}

// metaSchemas describes the schemas to the processes of other ones.
func metaSchemas(schemas []Schema) []meta.Schema {
	var all []meta.Schema
	for _, s := range schemas {
		m := meta.Schema{Name: s.Name, Fingerprint: s.Fingerprint}
		for _, t := range s.Tables {
			d := t.describe()
			if d.series {
				continue
			}
			table := meta.Table{Name: d.name, Indexes: d.indexes}
			for _, st := range d.states {
				for _, v := range st.Values {
					if table.States == nil {
						table.States = map[string]string{}
					}
					table.States[v] = st.Name
				}
			}
			m.Tables = append(m.Tables, table)
		}
		if len(m.Tables) > 0 {
			all = append(all, m)
		}
	}
	return all
}

// metaOf returns the meta of a tenant. There is none where there are no
// tables, and none with a client that was given: all indexes then count as
// built.
func (sh *shared) metaOf(ns key.Namespace) *meta.Meta {
	p := &sh.presence
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.of == nil {
		p.process, p.schemas, p.of = rand.Text(), metaSchemas(sh.cfg.Schemas), map[string]*meta.Meta{}
	}
	if sh.cfg.Client != nil || len(p.schemas) == 0 {
		return nil
	}
	if m := p.of[ns.String()]; m != nil {
		return m
	}
	m := meta.New(sh.conn, ns, write.IDs, p.schemas, p.process, sh.tellNewer(ns))
	p.of[ns.String()] = m
	return m
}

// tellNewer logs, once each, with which newer schemas the tenant's rows are
// written.
func (sh *shared) tellNewer(ns key.Namespace) func([]meta.Other) {
	told := map[string]bool{}
	return func(others []meta.Other) {
		for _, o := range others {
			if !told[o.Fingerprint] {
				told[o.Fingerprint] = true
				sh.log.Warn("rows are written with another, newer schema: fields that this program does not know are kept as they are",
					"tenant", ns.String(), "schema", o.Package, "fingerprint", o.Fingerprint, "first_seen", time.UnixMilli(o.FirstSeen).UTC())
			}
		}
	}
}

// present says that this process is, and goes on saying so until absent.
func (s *Store) present(ctx context.Context) {
	if s.meta == nil {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, s.cfg.Database.timeout())
	defer cancel()
	if err := s.meta.Register(ctx); err != nil { // the first write tries again
		s.log.Warn("the tenant's meta data could not be written", "tenant", s.ns.String(), "error", err)
	}
	p := &s.presence
	ctx, p.cancel = context.WithCancel(context.WithoutCancel(ctx))
	p.done.Go(func() {
		t := time.NewTicker(meta.Renew)
		defer t.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-t.C:
			}
			for _, m := range p.registered() {
				ctx, cancel := context.WithTimeout(ctx, meta.Renew)
				_ = m.Register(ctx) // the next write asks when this was in vain
				cancel()
			}
		}
	})
}

// forget makes the first write to each tenant behind a new connection say again
// that this process is present.
func (p *presence) forget() {
	for _, m := range p.registered() {
		m.Forget()
	}
}

func (p *presence) registered() []*meta.Meta {
	p.mu.Lock()
	defer p.mu.Unlock()
	var ms []*meta.Meta
	for _, m := range p.of {
		if m.Registered() {
			ms = append(ms, m)
		}
	}
	return ms
}

// absent says that this process has ended. When it cannot, the others find out
// a minute later.
func (sh *shared) absent(ctx context.Context) {
	p := &sh.presence
	if p.cancel == nil {
		return
	}
	p.cancel()
	p.done.Wait()
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	var cmds rueidis.Commands
	for _, m := range p.registered() {
		cmds = append(cmds, m.Leave(sh.conn.Client))
	}
	if len(cmds) > 0 {
		sh.conn.Client.DoMulti(ctx, cmds...)
	}
}

// ready makes sure that this process may write rows of the tenant.
func (s *Store) ready(ctx context.Context) error {
	if s.meta == nil {
		return nil
	}
	if err := s.meta.Ready(ctx); err != nil {
		return readClass(fmt.Errorf("meta data of the tenant: %w", err)) // of the write, nothing was sent
	}
	return nil
}
