package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/token"
)

// setText sets a scalar option from its text.
func setText(v reflect.Value, text string) error {
	if v.Kind() == reflect.Pointer {
		elem := reflect.New(v.Type().Elem())
		v.Set(elem)
		return setText(elem.Elem(), text)
	}
	wrong := fmt.Errorf("%q is not %s", text, wanted(v.Type()))
	if v.Type() == duration {
		d, err := time.ParseDuration(text)
		if err != nil {
			return wrong
		}
		v.SetInt(int64(d))
		return nil
	}
	switch v.Kind() {
	case reflect.String:
		v.SetString(text)
	case reflect.Bool:
		b, ok := map[string]bool{"true": true, "True": true, "false": false, "False": false}[text]
		if !ok {
			return wrong
		}
		v.SetBool(b)
	case reflect.Int, reflect.Int64:
		// 10_000, as the specification writes it.
		n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, v.Type().Bits())
		if err != nil {
			return wrong
		}
		v.SetInt(n)
	case reflect.Float64:
		x, err := strconv.ParseFloat(strings.ReplaceAll(text, "_", ""), 64)
		if err != nil {
			return wrong
		}
		v.SetFloat(x)
	default:
		return fmt.Errorf("an option of kind %v cannot be set", v.Kind())
	}
	return nil
}

// duration is the type of options with a unit, such as 5s.
var duration = reflect.TypeFor[time.Duration]()

// wanted says what an option of type t takes.
func wanted(t reflect.Type) string {
	if t == duration {
		return "a duration such as 5s"
	}
	switch t.Kind() {
	case reflect.Pointer:
		return wanted(t.Elem())
	case reflect.Bool:
		return "true or false"
	case reflect.Int, reflect.Int64:
		return "a whole number"
	case reflect.Float64:
		return "a number"
	}
	return "a text"
}

// scalar returns the text of a scalar as it stands in the document, so that
// the trader id 001 stays 001.
func scalar(node ast.Node) (string, bool) {
	switch n := node.(type) {
	case *ast.StringNode:
		return n.Value, true
	case *ast.LiteralNode:
		return n.Value.Value, true
	case *ast.BoolNode, *ast.IntegerNode, *ast.FloatNode, *ast.InfinityNode, *ast.NanNode:
		return node.GetToken().Value, true
	}
	return "", false
}

func isQuoted(node ast.Node) bool {
	switch node.GetToken().Type {
	case token.SingleQuoteType, token.DoubleQuoteType:
		return true
	}
	return false
}

// optionsOf returns the options of a struct by name: its fields that have one
// in YAML.
func optionsOf(t reflect.Type) map[string]int {
	options := map[string]int{}
	for i := range t.NumField() {
		name, _, _ := strings.Cut(t.Field(i).Tag.Get("yaml"), ",")
		if name != "" && name != "-" {
			options[name] = i
		}
	}
	return options
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

// hint names the known name nearest to an unknown one, if it is near.
func hint[V any](name string, known map[string]V) string {
	best, least := "", 3
	for candidate := range known {
		d := distance(name, candidate)
		if d < least || d == least && best != "" && candidate < best {
			best, least = candidate, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(" (did you mean %s?)", best)
}

// distance is the number of single-byte edits between two names.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
