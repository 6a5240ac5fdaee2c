package model_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// elsewhere says which fields of ours hold what a key of NautilusTrader says,
// where it is not the field of the same name. "" is the place itself: the list,
// the hash or the row's key.
var elsewhere = map[string]map[string]string{
	"OrderEvent":   {"is_quote_quantity": "quote_quantity", "options": "init"},
	"AccountEvent": {"type": "", "account_id": ""},
	"Balance":      {"type": ""},
	"Margin":       {"type": ""},
	"order": {
		"type": "order_type", "is_reduce_only": "reduce_only", "is_post_only": "post_only", "is_quote_quantity": "quote_quantity",
	},
	"position": {"signed_qty": "side quantity", "duration_ns": "ts_opened ts_closed", "ts_snapshot": "ts_last"},
}

// TestTradingHasNautilusNames compares schema/trading with the names of
// NautilusTrader: each key that it stores has its field, and the words of each
// enum are the same.
func TestTradingHasNautilusNames(t *testing.T) {
	text, err := os.ReadFile("../../../../testdata/nautilustrader/names.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var theirs struct{ Keys, Enums map[string][]string }
	if err := yaml.Unmarshal(text, &theirs); err != nil {
		t.Fatal(err)
	}
	p := loadTrading(t)
	fields := map[string][]string{}
	add := func(of string, fs []*model.Field) {
		for _, f := range fs {
			fields[of] = append(fields[of], f.Name)
		}
	}
	for _, s := range p.Structs {
		add(s.Name, s.Fields)
	}
	for _, table := range p.Tables {
		add(table.Name, table.Fields)
	}
	enums := map[string][]string{}
	for _, e := range p.Enums {
		enums[e.Name] = slices.Sorted(slices.Values(e.Values))
	}

	ours := map[string]string{
		"AccountState": "AccountEvent", "AccountBalance": "Balance", "MarginBalance": "Margin",
		"order snapshot": "order", "position snapshot": "position", "OrderInitialized.options": "OrderInit",
	}
	var events []string
	for object, keys := range theirs.Keys {
		places := []string{ours[object]}
		if places[0] == "" { // one of the events
			places[0] = "OrderEvent"
			events = append(events, word(strings.TrimPrefix(object, "Order")))
		}
		if object == "OrderInitialized" { // what was asked for is in the event's init
			places = append(places, "OrderInit")
		}
		for _, key := range keys {
			if !slices.ContainsFunc(places, func(place string) bool { return holds(fields[place], place, key) }) {
				t.Errorf("%s of %s has no field in %v", key, object, places)
			}
		}
	}
	slices.Sort(events)
	if !slices.Equal(enums["OrderEventType"], events) {
		t.Errorf("order events are %v, want %v", enums["OrderEventType"], events)
	}
	none := regexp.MustCompile(`^(NO_.*|UNSPECIFIED)$`) // absent with us
	for name, words := range theirs.Enums {
		words = slices.DeleteFunc(words, none.MatchString)
		if name == "OrderType" {
			words = append(words, "STOP") // the specification's
		}
		slices.Sort(words)
		if !slices.Equal(enums[name], words) {
			t.Errorf("%s is %v, want %v", name, enums[name], words)
		}
	}
	if len(theirs.Keys) < 20 || len(events) != 16 || len(theirs.Enums) < 15 {
		t.Errorf("%d objects, %d events, %d enums", len(theirs.Keys), len(events), len(theirs.Enums))
	}
}

// holds reports whether the fields of a struct or table hold a key.
func holds(fields []string, place, key string) bool {
	at, other := elsewhere[place][key]
	if !other {
		return slices.Contains(fields, key)
	}
	for name := range strings.FieldsSeq(at) {
		if !slices.Contains(fields, name) {
			return false
		}
	}
	return true
}

// word is the enum's word for a class: ModifyRejected is MODIFY_REJECTED.
func word(class string) string {
	return strings.ToUpper(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(class, "${1}_${2}"))
}
