package model_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// TestTradingFollowsTheSpec compares schema/trading with the tables of the
// specification: its fields are ours, under its names, in its order, required,
// and they come first.
func TestTradingFollowsTheSpec(t *testing.T) {
	spec, err := os.ReadFile("../../../../testdata/spec/data-model.md")
	if err != nil {
		t.Fatal(err)
	}
	p := loadTrading(t)
	seen := 0
	sections := strings.Split(string(spec), "\n### ")
	for _, section := range sections[1:] {
		key := regexp.MustCompile(`\*\*Key\*\*: .trader-([a-z]+):\{([a-z_]+)\}`).FindStringSubmatch(section)
		if key == nil {
			continue
		}
		seen++
		table := tableNamed(t, p, key[1])
		if len(table.Key) != 1 || table.Key[0].Name != key[2] {
			t.Errorf("%s: the key is not %s", table.Name, key[2])
		}
		var want []string
		for _, row := range regexp.MustCompile(`(?m)^\| ([a-z_]+) \| ([a-z]+) \| (.*) \|$`).FindAllStringSubmatch(section, -1) {
			name, redis, text := row[1], row[2], row[3]
			if redis == "list" || redis == "hash" {
				i := slices.IndexFunc(table.Collections, func(c *model.Collection) bool { return c.Name == name })
				if i < 0 || table.Collections[i].Hash != (redis == "hash") {
					t.Errorf("%s: no %s %s", table.Name, redis, name)
				}
				continue
			}
			want = append(want, name)
			i := slices.IndexFunc(table.Fields, func(f *model.Field) bool { return f.Name == name })
			if i < 0 {
				continue
			}
			checkSpecField(t, table.Fields[i], redis, text)
		}
		var got []string
		for i, f := range table.Fields {
			if !f.Optional {
				if got = append(got, f.Name); len(got) != i+1 {
					t.Errorf("%s: the required field %s stands behind an optional one", table.Name, f.Name)
				}
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: required are %v, the specification has %v", table.Name, got, want)
		}
	}
	if seen != 3 {
		t.Errorf("%d tables in the specification, want 3", seen)
	}
	const week = 7 * 24 * time.Hour
	for _, c := range []struct {
		table, state string
		ttl          time.Duration
	}{
		{"position", "open", 0}, {"position", "closed", week},
		{"order", "pending", 0}, {"order", "open", 0}, {"order", "closed", week},
		{"account", "", 0}, {"instrument", "", 24 * time.Hour},
	} {
		table := tableNamed(t, p, c.table)
		ttl := table.TTL
		if c.state != "" {
			i := slices.IndexFunc(table.States.List, func(s *model.State) bool { return s.Name == c.state })
			ttl = table.States.List[i].TTL
		}
		if ttl != c.ttl {
			t.Errorf("%s %s: the ttl is %v, want %v", c.table, c.state, ttl, c.ttl)
		}
	}
	for _, s := range p.Series {
		if s.Capacity == 0 {
			t.Errorf("%s: no capacity", s.Name)
		}
	}
}

// checkSpecField compares a field with its line in the specification.
func checkSpecField(t *testing.T, f *model.Field, redis, text string) {
	t.Helper()
	switch f.Type.Kind {
	case model.Timestamp:
		if redis != "int" {
			t.Errorf("%s is a timestamp", f.Name)
		}
	case model.String, model.Reference, model.EnumKind, model.Decimal:
		if redis != "string" {
			t.Errorf("%s is a string in Redis", f.Name)
		}
	default:
		t.Errorf("%s is a %s", f.Name, f.Type)
	}
	if strings.Contains(text, "(decimal)") && f.Type.Kind != model.Decimal {
		t.Errorf("%s is no decimal", f.Name)
	}
	if words := strings.Split(text, "/"); len(words) > 1 {
		for _, w := range words {
			if f.Type.Enum == nil || !slices.Contains(f.Type.Enum.Values, w) {
				t.Errorf("%s cannot be %s", f.Name, w)
			}
		}
	}
}

func tableNamed(t *testing.T, p *model.Package, name string) *model.Table {
	t.Helper()
	for _, table := range p.Tables {
		if table.Name == name {
			return table
		}
	}
	t.Fatalf("no table %s", name)
	return nil
}
