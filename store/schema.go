package store

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// known is a described table or series as this configuration has it.
type known struct {
	schema   string
	self     Described
	d        description
	ttl      map[string]time.Duration // by state; "" for a table without states
	capacity int64                    // of a series
}

// know checks the schemas of a configuration against each other and against
// the options that name tables.
func know(cfg Config) (map[string]known, error) {
	all := map[string]known{}
	var errs []error
	for _, s := range cfg.Schemas {
		for _, t := range s.Tables {
			d := t.describe()
			if was, ok := all[d.name]; ok {
				errs = append(errs, refused("config: schemas: %q is a table of %s and of %s", d.name, was.schema, s.Name))
				continue
			}
			k := known{schema: s.Name, self: t, d: d, ttl: map[string]time.Duration{"": d.ttl}, capacity: d.capacity}
			for _, st := range d.states {
				k.ttl[st.Name] = st.TTL
			}
			switch {
			case d.series && strings.HasSuffix(d.name, "tick") && cfg.TickCapacity > 0:
				k.capacity = int64(cfg.TickCapacity)
			case d.series && d.name == "bar" && cfg.BarCapacity > 0:
				k.capacity = int64(cfg.BarCapacity)
			}
			all[d.name] = k
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.TTL)) {
		if err := override(all, name, cfg.TTL[name]); err != nil {
			errs = append(errs, refused("config: ttl: %q: %w", name, err))
		}
	}
	return all, errors.Join(errs...)
}

func override(all map[string]known, name, text string) error {
	table, state, _ := strings.Cut(name, ".")
	k, ok := all[table]
	if !ok || k.d.series {
		return errors.New("no such table")
	}
	if (state == "") != (len(k.d.states) == 0) {
		return errors.New("name a state of a table with states, and none otherwise")
	}
	if _, ok := k.ttl[state]; !ok {
		return errors.New("no such state")
	}
	d, err := parseTTL(text)
	if err != nil {
		return err
	}
	k.ttl[state] = d
	return nil
}

// parseTTL reads a duration as the schema language writes it.
func parseTTL(s string) (time.Duration, error) {
	if s == "none" {
		return 0, nil
	}
	d, err := time.ParseDuration(s)
	if days, ok := strings.CutSuffix(s, "d"); ok {
		var n int64
		n, err = strconv.ParseInt(days, 10, 32)
		d = time.Duration(n) * 24 * time.Hour
	}
	if err != nil || d < minDuration {
		return 0, fmt.Errorf("bad ttl %q (want a duration such as 90s, 24h or 7d, or none)", s)
	}
	return d, nil
}

// release returns how long a row of the table lives once nobody keeps it.
func (sh *shared) release(table string) time.Duration {
	k, ok := sh.known[table]
	if !ok {
		return 0
	}
	if len(k.d.states) == 0 {
		return k.ttl[""]
	}
	var longest time.Duration
	for _, s := range k.d.states {
		d := k.ttl[s.Name]
		if d == 0 {
			return 0
		}
		longest = max(longest, d)
	}
	return longest
}
