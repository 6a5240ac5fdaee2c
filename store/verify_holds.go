package store

import (
	"context"
	"strings"

	"github.com/redis/rueidis"

	"github.com/nacre-store/nacre/store/internal/key"
	"github.com/nacre-store/nacre/store/internal/repair"
	"github.com/nacre-store/nacre/store/internal/write"
)

// keepers looks for keepers of a row that do not refer to it any more, or are
// not in a state that keeps it. Keepers of a table that this program does not
// know are left alone.
func (v *verification[K, V]) keepers(ctx context.Context, held, id string) error {
	st, c := v.b.s, v.b.s.conn.Client
	for cursor := uint64(0); ; {
		e, err := c.Do(ctx, c.B().Sscan().Key(held).Cursor(cursor).Count(maxPart).Build()).AsScanEntry()
		if err != nil {
			return err
		}
		var names, keys []string
		for _, k := range e.Elements {
			table, keeper, _ := strings.Cut(k, ":")
			if v.reader(table) != nil && key.CheckID(keeper) == nil {
				names, keys = append(names, k), append(keys, st.ns.Base(table, "")+keeper)
			}
		}
		if err := v.idle(ctx, held, id, names, keys); err != nil {
			return err
		}
		if cursor = e.Cursor; cursor == 0 {
			return nil
		}
	}
}

// reader returns what reads the rows of a table that keeps this one's.
func (v *verification[K, V]) reader(table string) func(string, []byte) (write.Facts, error) {
	if read, ok := v.facts[table]; ok {
		return read
	}
	v.facts[table] = nil
	if k, ok := v.b.s.known[table]; ok {
		v.facts[table] = k.self.reader(v.b.s)
	}
	return v.facts[table]
}

func (v *verification[K, V]) idle(ctx context.Context, held, id string, names, keys []string) error {
	if len(keys) == 0 {
		return nil
	}
	raws, err := mget(ctx, v.from, keys)
	if err != nil {
		return err
	}
	var ms []repair.Member
	for i, raw := range raws {
		table, keeper, _ := strings.Cut(names[i], ":")
		if raw != nil {
			facts, err := v.reader(table)(keeper, raw)
			if err != nil || keeps(facts, v.b.Name, id) {
				continue
			}
		}
		ms = append(ms, repair.Member{Name: names[i], Row: keys[i], Bytes: rueidis.BinaryString(raw)})
	}
	gone, err := repair.Keepers(ctx, v.b.s.conn.Client, v.mend, held, v.b.base+id, v.b.s.release(v.b.Name).Milliseconds(), ms)
	for range gone {
		found(&v.report.Dangling, write.Held, id, v.mend)
	}
	return err
}

func keeps(f write.Facts, table, id string) bool {
	for _, r := range f.Refs {
		if r.Active && r.Table == table && r.ID == id {
			return true
		}
	}
	return false
}
