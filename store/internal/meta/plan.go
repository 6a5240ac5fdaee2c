package meta

import (
	"maps"
	"slices"
	"strconv"
	"strings"
)

// The fields of the meta key.
//
//	schema:{package}:{fingerprint}  first seen in ms, then the indexes that it knows, a line each
//	states:{table}                  the state of each value, as last written
//	built:{table}.{index}           what the index lists: it is complete
//	building:{table}.{index}        the Verify that is at work on it
const (
	schemaField   = "schema:"
	statesField   = "states:"
	builtField    = "built:"
	buildingField = "building:"
)

// A tenant is what the meta key says, and who is present.
type tenant struct {
	fields  map[string]string
	present []string
	empty   map[string]bool // tables without rows
}

// A plan is what this process must change before it writes.
type plan struct {
	drop  []string
	set   map[string]string
	marks []mark
}

// A mark is a field that is set only while no process is present that writes
// the package's tables and does not know the line.
type mark struct {
	field, value string
	pkg, line    string
	table        string
	noRows       bool   // only if the table has none
	stands, as   string // only if that field has that value; it is dropped then
}

func (p plan) empty() bool { return len(p.drop)+len(p.set)+len(p.marks) == 0 }

// decide compares what is stored with the schemas of this process.
//
// It takes back the markers of indexes that this process does not keep up: of
// indexes that it does not know, on tables that it writes, and of indexes that
// it knows otherwise. It sets those of tables without rows. It also returns
// the other schemas of which rows may be newer than this program.
func decide(schemas []Schema, t tenant, now int64) (plan, []Other) {
	p := plan{set: map[string]string{}}
	var newer []Other
	for _, s := range schemas {
		f := schemaField + s.Name + ":" + s.Fingerprint
		mine, known := firstSeen(t.fields[f])
		if !known {
			mine = now
			p.set[f] = strconv.FormatInt(now, 10) + s.lines()
		}
		newer = append(newer, s.newer(t.fields, mine)...)
		for _, table := range s.Tables {
			p.table(s, table, t)
		}
	}
	return p, newer
}

func (p *plan) table(s Schema, table Table, t tenant) {
	moved := map[string]bool{} // states into or out of which a value went
	if table.States != nil {
		stored := t.fields[statesField+table.Name]
		all := parsePlaces(stored)
		for v, state := range table.States {
			if was, ok := all[v]; ok && was != state {
				moved[was], moved[state] = true, true
			}
			all[v] = state
		}
		if text := places(all); text != stored {
			p.set[statesField+table.Name] = text
		}
	}
	name := func(x Index) string { return table.Name + "." + x.Name }
	known := map[string]bool{}
	for _, x := range table.Indexes {
		known[name(x)] = true
		built, has := t.fields[builtField+name(x)]
		if has && (built != x.text() || moved[x.State]) {
			p.drop = append(p.drop, builtField+name(x))
			has = false
		}
		if b := t.fields[buildingField+name(x)]; b != "" && (!strings.HasSuffix(b, " "+table.line(x)) || moved[x.State]) {
			p.drop = append(p.drop, buildingField+name(x))
		}
		if !has && t.empty[table.Name] {
			p.marks = append(p.marks, mark{
				field: builtField + name(x), value: x.text(), pkg: s.Name, line: table.line(x), table: table.Name, noRows: true,
			})
		}
	}
	for _, f := range slices.Sorted(maps.Keys(t.fields)) {
		for _, kind := range []string{builtField, buildingField} {
			if x, ok := strings.CutPrefix(f, kind); ok && strings.HasPrefix(x, table.Name+".") && !known[x] {
				p.drop = append(p.drop, f)
			}
		}
	}
}

// Other is a schema of a package that is not this program's.
type Other struct {
	Package, Fingerprint string
	FirstSeen            int64 // ms
}

// newer returns the schemas of the package that came after this one: those
// that this tenant met later, and those that know an index which this one does
// not.
func (s Schema) newer(fields map[string]string, mine int64) []Other {
	lines := s.lines()
	var others []Other
	for _, f := range slices.Sorted(maps.Keys(fields)) {
		fp, ok := strings.CutPrefix(f, schemaField+s.Name+":")
		if !ok || fp == s.Fingerprint {
			continue
		}
		seen, _ := firstSeen(fields[f])
		_, theirs, _ := strings.Cut(fields[f], "\n")
		more := false
		for line := range strings.Lines(theirs) {
			more = more || !strings.Contains(lines, "\n"+line)
		}
		if seen > mine || more {
			others = append(others, Other{s.Name, fp, seen})
		}
	}
	return others
}

func firstSeen(field string) (ms int64, ok bool) {
	text, _, _ := strings.Cut(field, "\n")
	ms, err := strconv.ParseInt(text, 10, 64)
	return ms, err == nil
}
