package meta

import (
	"maps"
	"slices"
	"strings"
)

// A Schema is an emitted package as this process has it.
type Schema struct {
	Name        string
	Fingerprint string
	Tables      []Table
}

// A Table of a schema.
type Table struct {
	Name    string
	States  map[string]string // state by value of the deciding field
	Indexes []Index
}

// An Index of a table: the rows in State, by the field By, or both.
type Index struct{ Name, State, By string }

// text says what the index lists.
func (x Index) text() string {
	var parts []string
	if x.State != "" {
		parts = append(parts, "state "+x.State)
	}
	if x.By != "" {
		parts = append(parts, "field "+x.By)
	}
	return strings.Join(parts, ", ")
}

// line is the index in the list of those that a schema knows. It names the
// values of the state, since processes that place a value elsewhere list other
// rows.
func (t Table) line(x Index) string {
	line := t.Name + "." + x.Name + ": " + x.text()
	if x.State == "" {
		return line
	}
	var values []string
	for v, state := range t.States {
		if state == x.State {
			values = append(values, v)
		}
	}
	slices.Sort(values)
	return line + " [" + strings.Join(values, " ") + "]"
}

// lines lists the indexes that the schema knows, each between line ends.
func (s Schema) lines() string {
	b := "\n"
	for _, t := range s.Tables {
		for _, x := range t.Indexes {
			b += t.line(x) + "\n"
		}
	}
	return b
}

// places writes which state each value is in.
func places(states map[string]string) string {
	var b []string
	for _, v := range slices.Sorted(maps.Keys(states)) {
		b = append(b, v+"="+states[v])
	}
	return strings.Join(b, " ")
}

func parsePlaces(s string) map[string]string {
	m := map[string]string{}
	for f := range strings.FieldsSeq(s) {
		v, state, _ := strings.Cut(f, "=")
		m[v] = state
	}
	return m
}
