package key

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

// The cross product of what made naive joins collide: dashes, colons, dots,
// at signs, percent signs and braces in every component, and components that
// look like other ones.
var (
	prefixes  = []string{"trader", "trader_a", "a"}
	traders   = []string{"", "a", "b", "a-b", "a-", "-", "order:x", "order", "a@b", "*", "a.b", "{a}", "}", "%41", "001", "001-abc", "é"}
	instances = []string{"", "a", "b", "a-b", "8f", "@", "x-order", "}", "{", "%"}
	types     = []string{"order", "position", "x", "quote_tick"}
	parts     = []string{"", "ids", "open", "events", "seen_events", "held", "by_strategy"}
	ids       = []string{"", "O-1", "x-order:O-1", "ids", "open:O-1", ".open", "a:b", "a@b", "}", "{a}-order:1", "é ü", "%3A"}
)

type named struct{ prefix, trader, instance, typ, part, id string }

func every(yield func(named, bool)) {
	for _, p := range prefixes {
		for _, t := range traders {
			for _, i := range instances {
				for _, y := range types {
					for _, a := range parts {
						for _, d := range ids {
							if a == "" && d == "" {
								continue // a thing has a part, an id or both
							}
							yield(named{p, t, i, y, a, d}, false)
							yield(named{p, t, i, y, a, d}, true)
						}
					}
				}
			}
		}
	}
}

func build(t interface{ Fatalf(string, ...any) }, n named, tag bool) string {
	ns, err := New(n.prefix, n.trader, n.instance, tag)
	if err != nil {
		t.Fatalf("New(%+v): %v", n, err)
	}
	k := ns.Name(n.typ, n.part)
	if n.id != "" {
		k = ns.Base(n.typ, n.part) + n.id
	}
	if got := ns.Append(nil, n.typ, n.part, n.id); string(got) != k {
		t.Fatalf("Append gives %q, not %q", got, k)
	}
	return k
}

// naive is the join of the specification's pattern without escaping.
func naive(n named, tag bool) string {
	ns := n.prefix
	for _, s := range []string{n.trader, n.instance} {
		if s != "" {
			ns += "-" + s
		}
	}
	if tag {
		ns = "{" + ns + "}"
	}
	k := ns + "-" + n.typ
	if n.part != "" {
		k += "." + n.part
	}
	if n.id != "" {
		k += ":" + n.id
	}
	return k
}

func TestKeysNeverCollide(t *testing.T) {
	ours, theirs := map[string]named{}, map[string]named{}
	count, naiveCollisions := 0, 0
	every(func(n named, tag bool) {
		count++
		k := build(t, n, tag)
		if was, ok := ours[k]; ok {
			t.Fatalf("%q is the key of %+v and of %+v", k, was, n)
		}
		ours[k] = n
		p, err := Parse(k)
		if err != nil {
			t.Fatalf("Parse(%q) of %+v: %v", k, n, err)
		}
		if got := (named{p.Prefix, p.Trader, p.Instance, p.Type, p.Part, p.ID}); got != n || p.Tagged != tag {
			t.Fatalf("Parse(%q) = %+v, want %+v", k, got, n)
		}
		if ns, _ := New(n.prefix, n.trader, n.instance, tag); !ns.Owns(k) {
			t.Fatalf("%q is not owned by its own tenant", k)
		}
		j := naive(n, tag)
		if was, ok := theirs[j]; ok && was != n {
			naiveCollisions++
		}
		theirs[j] = n
	})
	if count < 100_000 {
		t.Errorf("%d names, want 100,000 or more", count)
	}
	if naiveCollisions == 0 {
		t.Error("the naive join does not collide on these names, so they prove nothing")
	}
	t.Logf("%d names, 0 collisions; the naive join has %d", count, naiveCollisions)
}

// No tenant owns a key of another one, whatever the names.
func TestTenantsAreDisjoint(t *testing.T) {
	var all []Namespace
	for _, p := range prefixes {
		for _, tr := range traders {
			for _, in := range instances {
				n, err := New(p, tr, in, false)
				if err != nil {
					t.Fatal(err)
				}
				all = append(all, n)
			}
		}
	}
	for i, a := range all {
		k := a.Base("order", "events") + "x-order:O-1"
		for j, b := range all {
			if b.Owns(k) != (i == j) {
				t.Fatalf("%q: owned by %q = %v", k, b, b.Owns(k))
			}
		}
	}
}

func TestParseIsTheInverse(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := named{
			prefix:   rapid.StringMatching(`[A-Za-z0-9_]{1,8}`).Draw(t, "prefix"),
			trader:   rapid.String().Draw(t, "trader"),
			instance: rapid.String().Draw(t, "instance"),
			typ:      rapid.StringMatching(`[a-z][a-z0-9_]{0,8}`).Draw(t, "type"),
			part:     rapid.StringMatching(`([a-z][a-z0-9_]{0,8})?`).Draw(t, "part"),
			id:       rapid.StringMatching(`[ -~]{1,20}`).Draw(t, "id"),
		}
		k := build(t, n, rapid.Bool().Draw(t, "tag"))
		p, err := Parse(k)
		if err != nil {
			t.Fatalf("Parse(%q): %v", k, err)
		}
		if got := (named{p.Prefix, p.Trader, p.Instance, p.Type, p.Part, p.ID}); got != n {
			t.Fatalf("Parse(%q) = %+v, want %+v", k, got, n)
		}
	})
}

// The examples of the specification are themselves.
func TestSpecExamples(t *testing.T) {
	ns, _ := New("trader", "", "", false)
	for _, want := range []struct{ typ, id, key string }{
		{"position", "BTCUSDT-PERP.BINANCE-001", "trader-position:BTCUSDT-PERP.BINANCE-001"},
		{"order", "O-20251230-001", "trader-order:O-20251230-001"},
		{"account", "BINANCE-USDT_FUTURES-master", "trader-account:BINANCE-USDT_FUTURES-master"},
		{"instrument", "BTCUSDT-PERP.BINANCE", "trader-instrument:BTCUSDT-PERP.BINANCE"},
	} {
		if got := ns.Base(want.typ, "") + want.id; got != want.key {
			t.Errorf("key %q, want %q", got, want.key)
		}
	}
}

func TestBadNames(t *testing.T) {
	for _, prefix := range []string{"", "a-b", "a:b", "a.b", "{a}", "é"} {
		if _, err := New(prefix, "", "", false); err == nil {
			t.Errorf("prefix %q is accepted", prefix)
		}
	}
	for _, id := range []string{"", "a\nb", "\x00", "a\x7f", strings.Repeat("x", MaxID+1)} {
		if err := CheckID(id); err == nil {
			t.Errorf("id %q is accepted", id)
		}
	}
	for _, k := range []string{"", "x", "trader", "trader-order", "trader-Order:1", "trader-order.:1", "trader-order:", "-order:1",
		"trader-a%2d-order:1", "trader-%zz-order:1", "trader-a@-order:1", "trader--order:1", "{trader-order:1", "{trader}order:1", "{tr.ader}-order:1", "tr.ader-order:1"} {
		if p, err := Parse(k); err == nil {
			t.Errorf("Parse(%q) = %+v, want an error", k, p)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, k := range []string{"trader-order:O-1", "{trader-a@b}-order.open", "trader-TRADER-001@8f-nacre.meta", "trader-%2A-order.events:a:b"} {
		f.Add(k)
	}
	f.Fuzz(func(t *testing.T, k string) {
		p, err := Parse(k)
		if err != nil {
			return
		}
		if again := build(t, named{p.Prefix, p.Trader, p.Instance, p.Type, p.Part, p.ID}, p.Tagged); again != k {
			t.Fatalf("%q parses to %+v, which is the key %q", k, p, again)
		}
	})
}

func ExampleParse() {
	p, _ := Parse("trader-TRADER-001@8f-order.events:O-20251230-001")
	fmt.Println(p.Trader, p.Instance, p.Type, p.Part, p.ID)
	// Output: TRADER-001 8f order events O-20251230-001
}
