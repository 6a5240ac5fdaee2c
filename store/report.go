package store

import (
	"fmt"
	"slices"
	"strings"
)

// A Report is what [Rows.Verify] found in a table.
type Report struct {
	Table string
	Rows  int // Rows that are stored.
	// Dangling are entries that no row justifies: ids in an index whose rows
	// have gone or changed, lists and hashes without a row, keepers of a row
	// that do not refer to it any more. Readers of an index never see them.
	Dangling []Finding
	// Missing are rows without an entry that they should have: in an index, or
	// among the keepers of a row of another table.
	Missing []Finding
	// Unbuilt are the indexes that are not built, with the rows that they
	// lacked. Err says why an index was not built.
	Unbuilt []Finding
	// Expiry are rows whose index entries, lists or hashes would expire at
	// another time than they do, and rows that do not expire though nobody
	// keeps them any more, or do although somebody does.
	Expiry []Finding
	// Unreadable are rows of which nothing else is known. They are left alone,
	// and no index is built while there are any.
	Unreadable Finding
}

// A Finding is one kind of fault in one place.
type Finding struct {
	// In is the name of an index, list or hash; "ids" is the list of all rows,
	// "held" the keepers of rows, "row" the row itself.
	In     string
	Count  int
	IDs    []string // The first hundred.
	Mended int
	Err    error // Why something was not mended; of unreadable rows, what is wrong with the first ones.
}

// maxFound is how many ids a finding names.
const maxFound = 100

// Clean tells whether nothing was found, mended or not.
func (r Report) Clean() bool {
	return len(r.Dangling)+len(r.Missing)+len(r.Unbuilt)+len(r.Expiry)+r.Unreadable.Count == 0
}

// String lists the findings, one a line.
func (r Report) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d rows", r.Table, r.Rows)
	for _, kind := range []struct {
		name  string
		found []Finding
	}{{"dangling in", r.Dangling}, {"missing in", r.Missing}, {"unbuilt:", r.Unbuilt}, {"wrong expiry of", r.Expiry}, {"unreadable", []Finding{r.Unreadable}}} {
		for _, f := range kind.found {
			if f.Count == 0 && f.Err == nil && f.In == "" {
				continue
			}
			fmt.Fprintf(&b, "\n  %s %s: %d, %d mended", kind.name, f.In, f.Count, f.Mended)
			if f.Err != nil {
				fmt.Fprintf(&b, ": %v", f.Err)
			}
		}
	}
	return b.String()
}

// found adds to the finding of a place.
func found(list *[]Finding, in, id string, mended bool) {
	i := slices.IndexFunc(*list, func(f Finding) bool { return f.In == in })
	if i < 0 {
		i = len(*list)
		*list = append(*list, Finding{In: in})
	}
	(*list)[i].add(id, mended)
}

func (f *Finding) add(id string, mended bool) {
	f.Count++
	if len(f.IDs) < maxFound {
		f.IDs = append(f.IDs, id)
	}
	if mended {
		f.Mended++
	}
}
