package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// An owner of fields: a table, a struct or a series, named as the lock nests it.
type owner struct{ kind, name string }

func (o owner) names(more ...string) []string { return append([]string{o.kind, o.name}, more...) }

// fields compares the fields of one owner. The elements of a series are arrays
// on the wire, so that there a field is its place.
func (d *differ) fields(o owner, before, after lockStruct) {
	series := o.kind == "series"
	last := "" // The last field that the old schema has too.
	for _, f := range after.Fields {
		if find(before.Fields, f.Name) != nil {
			last = f.Name
		}
	}
	atEnd := last == ""
	for _, f := range after.Fields {
		subject := fmt.Sprintf("field %q", f.Name)
		old := find(before.Fields, f.Name)
		switch {
		case old != nil:
			d.field(o.names("fields", f.Name), subject, *old, f)
			atEnd = atEnd || f.Name == last
		case !strings.HasSuffix(f.Type, "?"):
			d.add(Breaking, o.names("fields", f.Name), subject, "stored rows lack it and could not be read (make it optional)", "it is new and required")
		case series && !atEnd:
			d.add(Breaking, o.names("fields", f.Name), subject, "the elements of a series are arrays, and stored ones hold another field at that place (add it at the end)", "it is new")
		default:
			d.add(Safe, o.names("fields", f.Name), subject, "stored rows read as without it", "it is new")
		}
	}
	for _, f := range before.Fields {
		if find(after.Fields, f.Name) != nil {
			continue
		}
		subject := fmt.Sprintf("field %q", f.Name)
		names := o.names("fields", f.Name)
		switch {
		case series:
			d.add(Breaking, names, subject, "the elements of a series are arrays, and those behind it would be read at the wrong place (keep the field)", "it is dropped")
		case !slices.Contains(after.Reserved, f.Name):
			d.add(Breaking, names, subject, "stored rows hold it, and a later field of that name would read it (add the name to reserved)", "it is dropped")
		case strings.HasSuffix(f.Type, "?"):
			d.add(Safe, names, subject, "stored rows keep it in Extra", "it is dropped and reserved")
		default:
			d.add(Behaviour, names, subject, "a process of the older schema cannot read rows that lack it", "it is dropped and reserved")
		}
	}
	if a, b := common(before.Fields, after.Fields), common(after.Fields, before.Fields); !slices.Equal(a, b) {
		i := 0
		for i < min(len(a), len(b))-1 && a[i] == b[i] {
			i++
		}
		names, subject := o.names("fields", b[i]), fmt.Sprintf("field %q", b[i])
		if series {
			d.add(Breaking, names, subject, "the elements of a series are arrays, and stored ones hold the fields in the old order", "it was behind %q", a[i])
		} else {
			d.add(Behaviour, names, subject, "rows of the old order are read the slower way until they are written again", "it was behind %q", a[i])
		}
	}
	for _, name := range without(before.Reserved, after.Reserved) {
		d.add(Breaking, o.names("reserved", name), "reserved", "stored rows may still hold what the name once meant", "the name %q is no longer reserved", name)
	}
}

// common is the names of the fields of a that b has too.
func common(a, b []lockField) []string {
	var names []string
	for _, f := range a {
		if find(b, f.Name) != nil {
			names = append(names, f.Name)
		}
	}
	return names
}

func find(fields []lockField, name string) *lockField {
	i := slices.IndexFunc(fields, func(f lockField) bool { return f.Name == name })
	if i < 0 {
		return nil
	}
	return &fields[i]
}

func (d *differ) field(names []string, subject string, before, after lockField) {
	was, wasOptional := strings.CutSuffix(before.Type, "?")
	is, isOptional := strings.CutSuffix(after.Type, "?")
	names = names[:len(names):len(names)]
	typ := append(names, "type")
	switch {
	case was != is:
		d.add(Breaking, typ, subject, "stored rows hold the old type", "its type was %s and is %s", before.Type, after.Type)
	case isOptional && !wasOptional:
		d.add(Breaking, typ, subject, "a process of the older schema cannot read rows that lack it", "it was required and is optional")
	case wasOptional && !isOptional:
		d.add(Breaking, typ, subject, "stored rows that lack it could not be read", "it was optional and is required")
	}
	limit := func(max int64) int64 { return cmp.Or(max, defaultMax) }
	switch was, is := limit(before.Max), limit(after.Max); {
	case is < was:
		d.add(Breaking, append(names, "max"), subject, "stored rows may hold longer ones", "its max was %d bytes and is %d", was, is)
	case is > was:
		d.add(Behaviour, append(names, "max"), subject, "a process of the older schema cannot read rows with longer ones", "its max was %d bytes and is %d", was, is)
	}
}

// defaultMax is the wire's limit for a string or bytes without max.
const defaultMax = 4 << 10

// table compares everything of a table but its fields.
func (d *differ) table(names []string, before, after lockTable) {
	in := func(more ...string) []string { return append(slices.Clone(names), more...) }
	if !slices.Equal(before.Key, after.Key) {
		d.add(Breaking, in("key"), "key", "stored rows would be looked for under other keys",
			"it was %s and is %s", strings.Join(before.Key, ", "), strings.Join(after.Key, ", "))
	}
	if before.TTL != after.TTL {
		d.add(Behaviour, in("ttl"), "ttl", "a stored row keeps its expiry until it is written again",
			"it was %s and is %s", cmp.Or(before.TTL, "none"), cmp.Or(after.TTL, "none"))
	}
	for _, ref := range without(before.KeptBy, after.KeptBy) {
		d.add(Behaviour, in("kept_by", ref), "kept_by", "such rows no longer keep this one", "%s is dropped", ref)
	}
	for _, ref := range without(after.KeptBy, before.KeptBy) {
		d.add(Behaviour, in("kept_by", ref), "kept_by", "a stored row of that state counts once it is written again, or Verify has repaired its table", "%s is new", ref)
	}
	d.collections(in, before, after)
	d.states(in, before.States, after.States)
	d.indexes(in, before, after)
}

func (d *differ) collections(in func(...string) []string, before, after lockTable) {
	for _, name := range bothKeys(before.Collections, after.Collections) {
		names, subject := in("collections", name), fmt.Sprintf("collection %q", name)
		was, had := before.Collections[name]
		is, has := after.Collections[name]
		names = names[:len(names):len(names)]
		switch {
		case !has:
			d.add(Breaking, names, subject, "what it holds stays stored and nothing reads or expires it", "it is dropped")
			continue
		case !had:
			d.add(Safe, names, subject, "nothing of it is stored", "it is new")
			continue
		case was.Hash+was.List != is.Hash+is.List:
			d.add(Breaking, names, subject, "what it holds is of the old struct", "its struct was %s and is %s", was.Hash+was.List, is.Hash+is.List)
		case was.Hash != is.Hash:
			kind := func(c lockCollection) string {
				if c.Hash != "" {
					return "hash"
				}
				return "list"
			}
			d.add(Breaking, names, subject, "what is stored is of the old kind, and every access to it would fail", "it was a %s and is a %s", kind(was), kind(is))
		}
		if was.Hash != "" || is.Hash != "" {
			continue
		}
		if was.ID != is.ID {
			d.add(Breaking, append(names, "id"), subject, "a repeated append of a stored element would not be recognised", "its id was %s and is %s", was.ID, is.ID)
		}
		if was.Count != is.Count {
			d.add(Behaviour, append(names, "count"), subject, "appends are checked against another number", "its count was %s and is %s", cmp.Or(was.Count, "none"), cmp.Or(is.Count, "none"))
		}
		if was.Capacity != is.Capacity {
			why := "the next append trims to it"
			if is.Capacity == 0 {
				why = "nothing is trimmed from now on"
			}
			d.add(Behaviour, append(names, "capacity"), subject, why, "its capacity was %s and is %s", unbounded(was.Capacity), unbounded(is.Capacity))
		}
	}
}

func unbounded(capacity int64) string {
	if capacity == 0 {
		return "none"
	}
	return fmt.Sprint(capacity)
}

func (d *differ) states(in func(...string) []string, before, after *lockStates) {
	const later = "a stored row keeps its expiry until it is written again"
	switch {
	case before == nil && after == nil:
		return
	case before == nil:
		d.add(Behaviour, in("states"), "states", later, "they are new")
		return
	case after == nil:
		d.add(Behaviour, in("states"), "states", later, "they are dropped")
		return
	case before.By != after.By:
		d.add(Behaviour, in("states", "by"), "states", later, "by was %s and is %s", before.By, after.By)
		return
	}
	home := func(s *lockStates) map[string]string {
		m := map[string]string{}
		for name, state := range s.Sets {
			for _, v := range state.Values {
				m[v] = name
			}
		}
		return m
	}
	was, is := home(before), home(after)
	for _, v := range sortedKeys(was) {
		if to, ok := is[v]; ok && to != was[v] {
			d.add(Behaviour, in("states", "sets", to, "values", v), fmt.Sprintf("state %q", to), later+", and an index by state is to be built again", "the value %s was in %q", v, was[v])
		}
	}
	for _, name := range sortedKeys(after.Sets) {
		old, had := before.Sets[name]
		if state := after.Sets[name]; had && old.TTL != state.TTL {
			d.add(Behaviour, in("states", "sets", name, "ttl"), fmt.Sprintf("state %q", name), later,
				"its ttl was %s and is %s", cmp.Or(old.TTL, "none"), cmp.Or(state.TTL, "none"))
		}
	}
}

func (d *differ) indexes(in func(...string) []string, before, after lockTable) {
	const build = "to be built: stored rows are not in it, and reading it is an error until Verify has repaired the table"
	for _, name := range bothKeys(before.Indexes, after.Indexes) {
		names, subject := in("indexes", name), fmt.Sprintf("index %q", name)
		was, had := before.Indexes[name]
		is, has := after.Indexes[name]
		switch {
		case !has:
			d.add(Behaviour, names, subject, "its keys stay stored", "it is dropped")
		case !had:
			d.add(Build, names, subject, build, "it is new")
		case was != is:
			d.add(Behaviour, names, subject, build, "it was of %s and is of %s", was.text(), is.text())
		}
	}
}

func (x lockIndex) text() string {
	var parts []string
	if x.State != "" {
		parts = append(parts, "state "+x.State)
	}
	if x.Field != "" {
		parts = append(parts, "field "+x.Field)
	}
	return strings.Join(parts, ", ")
}
