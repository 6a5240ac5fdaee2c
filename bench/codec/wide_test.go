package codec

import (
	"fmt"
	"os"
	"regexp"
	"testing"
)

var optionalField = regexp.MustCompile(`(?m)^  (\w+): (\S+)\?$`)

// wideValues returns a value for every optional field of testdata/codec/wide.yaml,
// as a codec that knows no schema sees it.
func wideValues(t *testing.T) map[string]any {
	b, err := os.ReadFile("../../testdata/codec/wide.yaml")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]any{}
	for i, m := range optionalField.FindAllStringSubmatch(string(b), -1) {
		values[m[1]] = wideValue(m[2], i)
	}
	return values
}

func wideValue(kind string, i int) any {
	balance := map[string]any{"currency": "USD", "total": "1.50", "locked": "0.50", "free": "1.00"}
	switch kind {
	case "string", "PositionSide":
		return fmt.Sprint("text ", i)
	case "decimal":
		return fmt.Sprintf("%d.50", i)
	case "timestamp", "int64":
		return int64(1700000000000000000 + i)
	case "bool":
		return i%2 == 0
	case "float64":
		return float64(i) + 0.5
	case "bytes":
		return []byte{1, byte(i)}
	case "list<string>":
		return []any{"a", fmt.Sprint(i)}
	case "map<decimal>":
		return map[string]any{"B": "1", "A": fmt.Sprintf("%d.0", i)}
	case "Balance":
		return balance
	case "list<Balance>":
		return []any{balance, balance}
	}
	panic(kind)
}

// loose makes integers of any width the same.
func loose(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for k, e := range v {
			m[k] = loose(e)
		}
		return m
	case []any:
		l := make([]any, len(v))
		for i, e := range v {
			l[i] = loose(e)
		}
		return l
	case []byte, string, bool, float64, nil:
		return v
	}
	return fmt.Sprint(v)
}
