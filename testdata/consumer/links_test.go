package repodesk

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// TestLinks pins what the program of a user carries: the store and what it
// needs, and nothing of the generator or of tests.
func TestLinks(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "./blotter").Output()
	if err != nil {
		t.Fatal(err)
	}
	allowed := regexp.MustCompile(`^(example\.com/repodesk/(blotter|gen/repo)$` +
		`|github\.com/nacre-store/nacre/store(/wire|/internal/[a-z]+)?$` +
		`|github\.com/redis/rueidis|github\.com/tinylib/msgp/msgp$|github\.com/philhofer/fwd$` +
		`|github\.com/shopspring/decimal$|golang\.org/x/sys/)`)
	forbidden := regexp.MustCompile(`^(testing|flag|text/template|go/.*|.*/redistest|.*/storetest)$`)
	linked := 0
	for path := range strings.FieldsSeq(string(out)) {
		host, _, _ := strings.Cut(path, "/")
		isStd := !strings.Contains(host, ".")
		if forbidden.MatchString(path) || !isStd && !allowed.MatchString(path) {
			t.Errorf("links %s", path)
		}
		if !isStd {
			linked++
		}
	}
	if linked < 8 {
		t.Errorf("only %d packages listed:\n%s", linked, out)
	}
}
