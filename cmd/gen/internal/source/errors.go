package source

import (
	"cmp"
	"fmt"
	"go/scanner"
	"go/token"
	"slices"
)

// Errors collects what is wrong with a schema. The zero value is empty.
// Every message has the form
//
//	path:line:col: subject: what is wrong (hint)
//
// and the position of the offending token.
type Errors struct {
	list scanner.ErrorList
}

// Addf adds an error about subject.
func (e *Errors) Addf(pos token.Position, subject, format string, args ...any) {
	e.list.Add(pos, subject+": "+fmt.Sprintf(format, args...))
}

// Merge adds all errors of o.
func (e *Errors) Merge(o *Errors) {
	e.list = append(e.list, o.list...)
}

// Err is nil or a [scanner.ErrorList]: all errors sorted by position, each once.
// Print it with [scanner.PrintError].
func (e *Errors) Err() error {
	slices.SortStableFunc(e.list, func(a, b *scanner.Error) int {
		return cmp.Or(
			cmp.Compare(a.Pos.Filename, b.Pos.Filename),
			cmp.Compare(a.Pos.Line, b.Pos.Line),
			cmp.Compare(a.Pos.Column, b.Pos.Column),
			cmp.Compare(a.Msg, b.Msg),
		)
	})
	e.list = slices.CompactFunc(e.list, func(a, b *scanner.Error) bool { return *a == *b })
	return e.list.Err()
}

// DidYouMean is the hint ` (did you mean "x"?)` with the known word that is
// nearest to name, or "" when none is near.
func DidYouMean(name string, known []string) string {
	best, least := "", (1+len(name))/3
	for _, k := range known {
		if d := distance(name, k, least); d < least || d == least && best == "" {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %q?)", best)
}

// distance is the number of bytes to insert, delete, change or swap with the
// neighbour that turns a into b; anything above limit may come out as limit+1.
func distance(a, b string, limit int) int {
	if len(a)-len(b) > limit || len(b)-len(a) > limit {
		return limit + 1
	}
	before := make([]int, len(b)+1)
	last := make([]int, len(b)+1)
	row := make([]int, len(b)+1)
	for j := range last {
		last[j] = j
	}
	for i := range len(a) {
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			row[j+1] = min(last[j]+cost, last[j+1]+1, row[j]+1)
			if i > 0 && j > 0 && a[i] == b[j-1] && a[i-1] == b[j] {
				row[j+1] = min(row[j+1], before[j-1]+1)
			}
		}
		before, last, row = last, row, before
	}
	return last[len(b)]
}
