package source_test

import (
	"go/scanner"
	"go/token"
	"strings"
	"testing"

	"github.com/nacre-store/nacre/cmd/gen/internal/source"
)

func TestErrorsAreSortedAndEachOnce(t *testing.T) {
	at := func(file string, line, column int) token.Position {
		return token.Position{Filename: file, Line: line, Column: column}
	}
	errs, more := new(source.Errors), new(source.Errors)
	if err := errs.Err(); err != nil {
		t.Errorf("no error is %v", err)
	}
	errs.Addf(at("b", 1, 1), "file", "is %s", "last")
	errs.Addf(at("a", 10, 2), "file", "fourth")
	errs.Addf(at("a", 9, 10), "file", "third")
	more.Addf(at("a", 9, 9), "file", "second")
	more.Addf(at("a", 9, 9), "file", "first")
	more.Addf(at("a", 9, 9), "file", "second")
	errs.Merge(more)
	var b strings.Builder
	scanner.PrintError(&b, errs.Err())
	want := "a:9:9: file: first\na:9:9: file: second\na:9:10: file: third\na:10:2: file: fourth\nb:1:1: file: is last\n"
	if b.String() != want {
		t.Errorf("got:\n%swant:\n%s", b.String(), want)
	}
}

func TestDidYouMean(t *testing.T) {
	known := []string{"decimal", "string", "id", "capacity", "timestamp"}
	for name, want := range map[string]string{
		"decimel":   "decimal",
		"Decimal":   "decimal",
		"stirng":    "string", // Neighbours swapped.
		"sting":     "string",
		"timestmap": "timestamp",
		"capcity":   "capacity",
		"ids":       "id",
		"i":         "", // All of it would change.
		"foo":       "",
		"":          "",
		"number":    "",
	} {
		if want != "" {
			want = ` (did you mean "` + want + `"?)`
		}
		if got := source.DidYouMean(name, known); got != want {
			t.Errorf("%q: got %q, want %q", name, got, want)
		}
	}
}
