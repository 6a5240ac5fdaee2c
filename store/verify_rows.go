package store

import (
	"context"
	"hash/maphash"
	"strings"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/repair"
	"github.com/nacre-store/nacre/store/internal/write"
)

// rowsPerCheck is how many rows one script looks at: it keeps the server busy
// for about a millisecond.
const rowsPerCheck = 100

// check looks at what must follow from rows. Those that change meanwhile need
// no look: who writes a row writes all that follows from it.
func (v *verification[K, V]) check(ctx context.Context, ids []string) error {
	raws, err := mget(ctx, v.from, keysOf(v.b.base, ids))
	if err != nil {
		return err
	}
	var rows []repair.Row
	var places [][]string // names of the indexes of each row
	for i, raw := range raws {
		if raw == nil {
			continue
		}
		h := maphash.String(v.seed, ids[i])
		_, seen := v.rows[h]
		if !seen {
			v.rows[h] = struct{}{}
			v.report.Rows++
		}
		row, err := v.b.decode(ids[i], raw)
		if err == nil {
			err = v.b.inState(ids[i], &row)
		}
		if err != nil {
			if u := &v.report.Unreadable; !seen {
				u.In = "row"
				if u.add(ids[i], false); u.Count <= maxJoined {
					u.Err = joinErrors([]error{u.Err, err})
				}
			}
			continue
		}
		r, in := v.follows(ids[i], raw, &row)
		rows, places = append(rows, r), append(places, in)
	}
	faults, err := repair.Rows(ctx, v.b.s.conn.Client, v.mend, v.b.w.Kept, rows)
	for _, f := range faults {
		v.fault(f, rows[f.At], places[f.At])
	}
	return err
}

// follows says what must follow from a row, and the names of its indexes.
func (v *verification[K, V]) follows(id string, raw []byte, row *V) (repair.Row, []string) {
	ns, facts := v.b.s.ns, v.b.facts(row)
	r := repair.Row{
		Key: v.b.base + id, ID: id, Bytes: rueidis.BinaryString(raw), Keeper: v.b.Name + ":" + id,
		Indexes: []string{ns.Name(v.b.Name, write.IDs)},
		Held:    ns.Base(v.b.Name, write.Held) + id,
		TTL:     v.b.known.ttl[v.b.stateOf(row)].Milliseconds(),
	}
	in := []string{write.IDs}
	for i, p := range facts.In {
		if p.Listed {
			r.Indexes, in = append(r.Indexes, v.set(i, p.Value).key()), append(in, v.b.Indexes[i].Name)
		}
	}
	for _, c := range v.b.w.Collections {
		r.Collections = append(r.Collections, ns.Base(v.b.Name, c.Name)+id)
		if c.List {
			r.Collections = append(r.Collections, ns.Base(v.b.Name, write.Seen(c.Name))+id)
		}
	}
	for _, ref := range facts.Refs {
		if ref.Active {
			r.Holds = append(r.Holds, repair.Hold{Set: ns.Base(ref.Table, write.Held) + ref.ID, Row: ns.Base(ref.Table, "") + ref.ID})
		}
	}
	return r, in
}

// fault puts what was found into the report.
func (v *verification[K, V]) fault(f repair.Fault, r repair.Row, in []string) {
	switch f.Kind {
	case repair.Unlisted:
		if i, ok := v.unbuilt[in[f.Place]]; ok {
			v.report.Unbuilt[i].add(r.ID, v.mend)
		} else {
			found(&v.report.Missing, in[f.Place], r.ID, v.mend)
		}
	case repair.Early:
		found(&v.report.Expiry, in[f.Place], r.ID, v.mend)
	case repair.Expiry:
		part := strings.TrimPrefix(r.Collections[f.Place], v.b.s.ns.Name(v.b.Name, ""))
		name, _, _ := strings.Cut(strings.TrimPrefix(part, "."), ":")
		found(&v.report.Expiry, strings.TrimPrefix(name, write.Seen("")), r.ID, v.mend)
	case repair.Unheld:
		found(&v.report.Missing, write.Held, r.ID, v.mend)
	case repair.Release, repair.Keep:
		found(&v.report.Expiry, "row", r.ID, v.mend)
	}
}
