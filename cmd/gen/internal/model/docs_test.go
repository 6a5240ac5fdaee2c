package model_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// TestDocs shows which comments become docs.
func TestDocs(t *testing.T) {
	cases(t, "../../../../testdata/gen/docs", func(t *testing.T, c *testCase) {
		p, err := model.LoadFS(c.files, "schema/trading", "trading")
		if err != nil {
			t.Fatal(stderr(err))
		}
		var b strings.Builder
		doc := func(name, doc string) { fmt.Fprintf(&b, "%s: %q\n", name, doc) }
		fields := func(owner string, list []*model.Field) {
			for _, f := range list {
				doc(owner+"."+f.Name, f.Doc)
			}
		}
		for _, e := range p.Enums {
			doc(e.Name, e.Doc)
		}
		for _, s := range p.Structs {
			doc(s.Name, s.Doc)
			fields(s.Name, s.Fields)
		}
		for _, table := range p.Tables {
			doc(table.Name, table.Doc)
			fields(table.Name, table.Fields)
			for _, col := range table.Collections {
				doc("collection "+col.Name, col.Doc)
			}
			for _, s := range table.States.List {
				doc("state "+s.Name, s.Doc)
			}
			for _, x := range table.Indexes {
				doc("index "+x.Name, x.Doc)
			}
		}
		for _, s := range p.Series {
			doc(s.Name, s.Doc)
			doc("key "+s.KeyName, s.KeyDoc)
			fields(s.Name, s.Fields)
		}
		c.expect("docs", b.String())
	})
}
