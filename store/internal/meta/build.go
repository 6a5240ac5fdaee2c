package meta

import (
	"context"
	"errors"
)

// A Build is a Verify that lists what is stored in an index, to mark it as
// complete in the end. Processes that do not know the index end it by their
// first write.
type Build struct {
	m     *Meta
	xs    []Index
	marks []mark
}

// Unbuilt returns the indexes of the table that are not complete.
func (m *Meta) Unbuilt(ctx context.Context, table string) ([]Index, error) {
	if err := m.Ready(ctx); err != nil {
		return nil, err
	}
	t, err := m.ask(ctx)
	if err != nil {
		return nil, err
	}
	var xs []Index
	_, k := m.table(table)
	for _, x := range k.Indexes {
		if t.fields[builtField+table+"."+x.Name] != x.text() {
			xs = append(xs, x)
		}
	}
	return xs, nil
}

// Begin announces the building of the table's indexes. Nothing may be read of
// the table before. It returns by name why an index cannot be built now.
func (m *Meta) Begin(ctx context.Context, table, token string, xs []Index) (*Build, map[string]error, error) {
	s, t := m.table(table)
	b := &Build{m: m, xs: xs}
	var announce []mark
	for _, x := range xs {
		name := table + "." + x.Name
		k := mark{field: buildingField + name, value: token + " " + t.line(x), pkg: s, line: t.line(x)}
		announce = append(announce, k)
		b.marks = append(b.marks, mark{
			field: builtField + name, value: x.text(), pkg: s, line: k.line, stands: k.field, as: k.value,
		})
	}
	refused, err := b.apply(ctx, announce)
	return b, refused, err
}

// End marks the indexes as complete, now that every row that was stored after
// Begin is listed. It returns by name why one could not be marked.
func (b *Build) End(ctx context.Context) (map[string]error, error) { return b.apply(ctx, b.marks) }

func (b *Build) apply(ctx context.Context, marks []mark) (map[string]error, error) {
	why, err := b.m.apply(ctx, plan{marks: marks})
	if err != nil {
		return nil, err
	}
	refused := map[string]error{}
	for i, w := range why {
		if w != "" {
			refused[b.xs[i].Name] = errors.New(w)
		}
	}
	return refused, nil
}

func (m *Meta) table(name string) (pkg string, t Table) {
	for _, s := range m.schemas {
		for _, t := range s.Tables {
			if t.Name == name {
				return s.Name, t
			}
		}
	}
	return "", Table{Name: name}
}
