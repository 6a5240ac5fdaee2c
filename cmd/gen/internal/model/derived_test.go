package model_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// TestDerived shows what the checker derives: Go names, id types and holds.
func TestDerived(t *testing.T) {
	cases(t, "../../../../testdata/gen/model", func(t *testing.T, c *testCase) {
		p, err := model.LoadFS(c.files, "schema/trading", "trading")
		if err != nil {
			t.Fatal(stderr(err))
		}
		var b strings.Builder
		for _, e := range p.Enums {
			for _, v := range e.Values {
				fmt.Fprintf(&b, "%s %s = %s\n", e.Name, e.Const(v), v)
			}
		}
		fields := func(list []*model.Field) {
			for _, f := range list {
				fmt.Fprintf(&b, "  %s %s = %s\n", f.GoName, f.TypeText(), f.Name)
			}
		}
		for _, s := range p.Structs {
			fmt.Fprintln(&b, "struct", s.Name)
			fields(s.Fields)
		}
		for _, table := range p.Tables {
			fmt.Fprintf(&b, "table %s: %s, %s, id %s of", table.Name, table.GoName, table.GoPlural, table.IDType)
			for _, k := range table.Key {
				fmt.Fprint(&b, " ", k.GoName)
			}
			fmt.Fprintln(&b)
			fields(table.Fields)
			for _, col := range table.Collections {
				fmt.Fprintf(&b, "  collection %s\n", col.GoName)
			}
			for _, x := range table.Indexes {
				fmt.Fprintf(&b, "  index %s\n", x.GoName)
			}
			if table.States != nil {
				for _, s := range table.States.List {
					fmt.Fprintf(&b, "  state %s: %s, ttl %v\n", s.Name, strings.Join(s.Values, " "), s.TTL)
				}
			}
			for _, r := range table.KeptBy {
				fmt.Fprintf(&b, "  kept by %s.%s\n", r.Table.Name, r.State.Name)
			}
			for _, h := range table.Holds {
				fmt.Fprintf(&b, "  %s keeps %s in %s\n", h.State.Name, h.Table.Name, h.Field.Name)
			}
		}
		for _, s := range p.Series {
			fmt.Fprintf(&b, "series %s: %s, %s, id %s of %s\n", s.Name, s.GoName, s.GoPlural, s.IDType, s.KeyType)
		}
		c.expect("derived", b.String())
	})
}
