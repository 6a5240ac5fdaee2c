package store

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strings"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/conn"
	"github.com/nacre-store/nacre/store/internal/key"
	"github.com/nacre-store/nacre/store/internal/meta"
	"github.com/nacre-store/nacre/store/internal/repair"
	"github.com/nacre-store/nacre/store/internal/write"
)

// Verify compares everything that follows from the rows of the table with the
// rows: indexes, lists and hashes, what rows keep and by whom they are kept,
// expiries. With repair it mends what it finds, and builds the indexes that are
// not built. Writers may work meanwhile: nothing is changed but under the
// condition that the row is still what the change follows from. It reads every
// key of the database, in small steps.
//
// An index cannot be built while a process of an older schema is present, or
// was meanwhile: the report says so, and a later Verify builds it.
func (r Rows[K, V]) Verify(ctx context.Context, mend bool) (report Report, err error) {
	t := r.b.s.time(ctx, "verify", r.b.Name, "")
	defer t.doneSome(&report.Rows, &err)
	v := &verification[K, V]{
		b: r.b, mend: mend, report: Report{Table: r.b.Name, Unreadable: Finding{}},
		sets: map[string]Set[K, V]{}, facts: map[string]func(string, []byte) (write.Facts, error){},
		rows: map[uint64]struct{}{}, seed: maphash.MakeSeed(),
	}
	err = r.b.err
	if err == nil && r.tx != nil {
		err = class(ErrUnsupported, errors.New("Verify takes no part in a Commit"))
	}
	if err == nil {
		err = r.b.s.barrier(ctx)
	}
	if err == nil {
		err = r.b.s.busy.enter(func() error { return readClass(v.run(ctx)) })
	}
	if err != nil {
		return v.report, fmt.Errorf("verify %s: %w", r.b.Name, err)
	}
	return v.report, nil
}

// verification is one Verify at work.
type verification[K comparable, V any] struct {
	b      *bound[K, V]
	mend   bool
	report Report
	from   rueidis.Client // for rows
	sets   map[string]Set[K, V]
	facts  map[string]func(string, []byte) (write.Facts, error) // by table of keepers

	unbuilt map[string]int      // place in Report.Unbuilt
	rows    map[uint64]struct{} // hashes of the ids that were counted
	seed    maphash.Seed
}

func (v *verification[K, V]) run(ctx context.Context) error {
	st := v.b.s
	v.from = st.conn.Bulk(ctx)
	build, err := v.begin(ctx)
	if err != nil {
		return err
	}
	for i, x := range v.b.Indexes {
		if x.Field == nil {
			if err := v.members(ctx, v.set(i, "")); err != nil {
				return err
			}
		}
	}
	if err := v.members(ctx, v.set(allRows, "")); err != nil {
		return err
	}
	masters, err := st.conn.Masters(ctx) // what replicas have may be old
	if err != nil {
		return err
	}
	for _, node := range masters {
		if err := v.scan(ctx, node); err != nil {
			return err
		}
	}
	return v.end(ctx, build)
}

// begin finds out which indexes are not built and announces to build them.
func (v *verification[K, V]) begin(ctx context.Context) (*meta.Build, error) {
	m := v.b.s.meta
	if m == nil {
		return nil, nil
	}
	xs, err := m.Unbuilt(ctx, v.b.Name)
	if err != nil || len(xs) == 0 {
		return nil, err
	}
	v.unbuilt = map[string]int{}
	for i, x := range xs {
		v.unbuilt[x.Name] = i
		v.report.Unbuilt = append(v.report.Unbuilt, Finding{In: x.Name})
	}
	if !v.mend {
		return nil, nil
	}
	build, refused, err := m.Begin(ctx, v.b.Name, rand.Text(), xs)
	for name, why := range refused {
		v.report.Unbuilt[v.unbuilt[name]].Err = why
	}
	return build, err
}

// end marks what was built.
func (v *verification[K, V]) end(ctx context.Context, build *meta.Build) error {
	if build == nil {
		return nil
	}
	unreadable := v.report.Unreadable
	if unreadable.Count > 0 {
		for i := range v.report.Unbuilt {
			v.report.Unbuilt[i].Err = fmt.Errorf("%d rows cannot be read: %w", unreadable.Count, unreadable.Err)
		}
		return nil
	}
	refused, err := build.End(ctx)
	for name, why := range refused {
		if f := &v.report.Unbuilt[v.unbuilt[name]]; f.Err == nil {
			f.Err = why
		}
	}
	return err
}

// scan looks at all keys of the table on one node.
func (v *verification[K, V]) scan(ctx context.Context, node rueidis.Client) error {
	st := v.b.s
	before, err := conn.RunID(ctx, node)
	if err != nil {
		return err
	}
	err = scan(ctx, node, st.ns.PatternOf(v.b.Name), func(keys []string) error {
		var rows, parts []string
		for _, k := range keys {
			p, err := key.Parse(k)
			if err != nil || p.Type != v.b.Name || !st.ns.Owns(k) {
				continue
			}
			switch i := v.index(p.Part); {
			case p.Part == "":
				rows = append(rows, p.ID)
			case p.Part == write.Held && v.b.w.Kept:
				err = v.keepers(ctx, k, p.ID)
			case i >= 0 && v.b.Indexes[i].Field != nil && p.ID != "":
				err = v.members(ctx, v.set(i, p.ID))
			case v.collection(p.Part) && p.ID != "":
				parts = append(parts, v.b.base+p.ID, k)
			}
			if err != nil {
				return err
			}
		}
		if err := v.orphans(ctx, parts); err != nil {
			return err
		}
		for part := range slices.Chunk(rows, rowsPerCheck) {
			if err := v.check(ctx, part); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	if after, err := conn.RunID(ctx, node); err != nil || after != before {
		// A cursor means nothing to another server: rows may have been left out.
		return errors.Join(conn.NotSent(errors.New("the server was another one in the end")), err)
	}
	return nil
}

func (v *verification[K, V]) index(part string) int {
	return slices.IndexFunc(v.b.Indexes, func(x Index[V]) bool { return x.Name == part })
}

func (v *verification[K, V]) collection(part string) bool {
	return slices.ContainsFunc(v.b.w.Collections, func(c write.Collection) bool {
		return c.Name == part || c.List && write.Seen(c.Name) == part
	})
}

func (v *verification[K, V]) set(index int, value string) Set[K, V] {
	return Set[K, V]{b: v.b, index: index, value: value}
}

// orphans drops lists and hashes whose rows have gone.
func (v *verification[K, V]) orphans(ctx context.Context, parts []string) error {
	gone, err := repair.Orphans(ctx, v.b.s.conn.Client, v.mend, parts)
	for _, i := range gone {
		p, err := key.Parse(parts[2*i+1])
		if err == nil {
			name, _ := strings.CutPrefix(p.Part, write.Seen(""))
			found(&v.report.Dangling, name, p.ID, v.mend)
		}
	}
	return err
}

// members looks for ids in an index that their rows do not justify.
func (v *verification[K, V]) members(ctx context.Context, s Set[K, V]) error {
	in := write.IDs
	if s.index != allRows {
		in = v.b.Indexes[s.index].Name
	}
	index, c := s.key(), v.b.s.conn.Client
	for cursor := uint64(0); ; {
		e, err := c.Do(ctx, c.B().Zscan().Key(index).Cursor(cursor).Count(maxPart).Build()).AsScanEntry()
		if err != nil {
			return err
		}
		var ids []string // between the scores
		for i := 0; i < len(e.Elements); i += 2 {
			ids = append(ids, e.Elements[i])
		}
		for part := range slices.Chunk(ids, maxPart) {
			if err := v.dangling(ctx, s, in, index, part); err != nil {
				return err
			}
		}
		if cursor = e.Cursor; cursor == 0 {
			return nil
		}
	}
}

func (v *verification[K, V]) dangling(ctx context.Context, s Set[K, V], in, index string, ids []string) error {
	raws, err := mget(ctx, v.from, keysOf(v.b.base, ids))
	if err != nil {
		return err
	}
	var ms []repair.Member
	for i, raw := range raws {
		m := repair.Member{Name: ids[i], Row: v.b.base + ids[i], Bytes: string(raw)}
		if raw != nil {
			row, err := v.b.decode(ids[i], raw)
			if err == nil {
				err = v.b.inState(ids[i], &row)
			}
			if err != nil || s.has(&row) {
				continue // what cannot be read keeps its place
			}
		}
		ms = append(ms, m)
	}
	gone, err := repair.Members(ctx, v.b.s.conn.Client, v.mend, index, ms)
	for _, i := range gone {
		found(&v.report.Dangling, in, ms[i].Name, v.mend)
	}
	return err
}
