package deadline

import (
	"maps"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// The queue does what a map with a search for the smallest does.
func TestQueue(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var q Queue
		model := map[string]int64{}
		least := func() (min int64) {
			for at := range maps.Values(model) {
				if min == 0 || at < min {
					min = at
				}
			}
			return min
		}
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			if id := strconv.Itoa(rapid.IntRange(0, 20).Draw(t, "id")); rapid.Bool().Draw(t, "set") {
				at := rapid.Int64Range(0, 50).Draw(t, "at")
				q.Set(id, at)
				if model[id] = at; at == 0 {
					delete(model, id)
				}
			} else {
				now := rapid.Int64Range(0, 60).Draw(t, "now")
				min := least()
				switch id := q.Due(now); {
				case id == "" && min != 0 && min <= now:
					t.Fatalf("nothing is due at %d, want one of %d", now, min)
				case id != "" && (model[id] != min || min > now):
					t.Fatalf("%s of %d is due at %d, want one of %d", id, model[id], now, min)
				default:
					delete(model, id)
				}
			}
			if q.Next() != least() {
				t.Fatalf("the next deadline is %d, want %d", q.Next(), least())
			}
		}
	})
}
