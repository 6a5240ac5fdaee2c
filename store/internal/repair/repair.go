// Package repair finds and mends what does not follow from the stored rows:
// index members, holds, expiries.
//
// Writers work on the same rows meanwhile, so nothing is ever changed by what
// was read a moment ago: each script changes something only if the row still
// has the bytes from which the change follows.
package repair

import (
	"context"
	_ "embed"
	"fmt"
	"strconv"

	"github.com/redis/rueidis"
)

// A Kind of fault of a row.
type Kind int64

// The kinds, which rows.lua has under the same names.
const (
	Unlisted Kind = iota + 1 // An index does not list it.
	Early                    // An index lists it with an earlier expiry than it has.
	Expiry                   // A collection has another expiry.
	Unheld                   // A row that it keeps does not know of it.
	Release                  // Nobody keeps it, and it does not expire.
	Keep                     // Somebody keeps it, and it expires.
)

var (
	//go:embed rows.lua
	rowsLua string
	//go:embed members.lua
	membersLua string
	//go:embed orphans.lua
	orphansLua string
	//go:embed keepers.lua
	keepersLua string

	rows    = rueidis.NewLuaScript(rowsLua)
	members = rueidis.NewLuaScript(membersLua)
	orphans = rueidis.NewLuaScript(orphansLua)
	keepers = rueidis.NewLuaScript(keepersLua)
)

// A Row says what must follow from a row.
type Row struct {
	Key, ID, Bytes string
	Indexes        []string // keys of the indexes that list it
	Collections    []string // keys of its lists and hashes
	Holds          []Hold   // rows that it keeps
	Keeper         string   // its name as a keeper
	Held           string   // key of its keepers, of a table whose rows are kept
	TTL            int64    // ms that it lives once nobody keeps it
}

// A Hold is a kept row and the set of its keepers.
type Hold struct{ Set, Row string }

// A Fault is of the row at At; Place is in Indexes, Collections or Holds.
type Fault struct {
	At    int
	Kind  Kind
	Place int
}

// Rows checks rows of one table. Those that have changed are left out.
func Rows(ctx context.Context, c rueidis.Client, mend, kept bool, all []Row) ([]Fault, error) {
	if len(all) == 0 {
		return nil, nil
	}
	var keys []string
	at := map[string]string{}
	key := func(k string) string {
		if at[k] == "" {
			keys = append(keys, k)
			at[k] = strconv.Itoa(len(keys))
		}
		return at[k]
	}
	args := []string{flag(mend), flag(kept)}
	for _, r := range all {
		args = append(args, key(r.Key), r.Bytes, r.ID, r.Keeper, strconv.FormatInt(r.TTL, 10), strconv.Itoa(len(r.Indexes)))
		for _, k := range r.Indexes {
			args = append(args, key(k))
		}
		args = append(args, strconv.Itoa(len(r.Collections)))
		for _, k := range r.Collections {
			args = append(args, key(k))
		}
		args = append(args, strconv.Itoa(len(r.Holds)))
		for _, h := range r.Holds {
			args = append(args, key(h.Set), key(h.Row))
		}
		held := "0"
		if kept {
			held = key(r.Held)
		}
		args = append(args, held)
	}
	ns, err := rows.Exec(ctx, c, keys, args).AsIntSlice()
	if err == nil && len(ns)%3 != 0 {
		err = fmt.Errorf("a check of rows answered %d numbers", len(ns))
	}
	if err != nil {
		return nil, err
	}
	var faults []Fault
	for i := 0; i < len(ns); i += 3 {
		faults = append(faults, Fault{int(ns[i]) - 1, Kind(ns[i+1]), int(ns[i+2]) - 1})
	}
	return faults, nil
}

// A Member is an entry of a set, with the row that does not justify it as it
// was read; "" is absent.
type Member struct{ Name, Row, Bytes string }

// Members takes members out of an index that their rows do not justify. It
// returns the places of those that were, or are, in it for no reason.
func Members(ctx context.Context, c rueidis.Client, mend bool, index string, ms []Member) ([]int64, error) {
	keys, args := []string{index}, []string{flag(mend)}
	return entries(ctx, c, members, keys, args, ms)
}

// Keepers takes keepers out of the held set of a row, whose expiry starts when
// the last of them goes.
func Keepers(ctx context.Context, c rueidis.Client, mend bool, held, row string, ttl int64, ms []Member) ([]int64, error) {
	keys, args := []string{held, row}, []string{flag(mend), strconv.FormatInt(ttl, 10)}
	return entries(ctx, c, keepers, keys, args, ms)
}

func entries(ctx context.Context, c rueidis.Client, script *rueidis.Lua, keys, args []string, ms []Member) ([]int64, error) {
	if len(ms) == 0 {
		return nil, nil
	}
	for _, m := range ms {
		keys, args = append(keys, m.Row), append(args, m.Name, m.Bytes)
	}
	return places(script.Exec(ctx, c, keys, args))
}

// Orphans drops lists and hashes without a row. Parts are given behind the key
// of their row, again and again.
func Orphans(ctx context.Context, c rueidis.Client, mend bool, parts []string) ([]int64, error) {
	if len(parts) == 0 {
		return nil, nil
	}
	return places(orphans.Exec(ctx, c, parts, []string{flag(mend)}))
}

// places counts from 0.
func places(r rueidis.RedisResult) ([]int64, error) {
	ns, err := r.AsIntSlice()
	for i := range ns {
		ns[i]--
	}
	return ns, err
}

func flag(b bool) string {
	if b {
		return "1"
	}
	return "0"
}
