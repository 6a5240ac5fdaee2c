package main

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"unicode"
)

// words mean something in Go or in emitted code. Those that are Go names of
// every row or repository are left to the schema's checks.
var words = strings.Fields(`
	append any bool break byte cap case chan clear close codec complex const context copy
	ctx decimal default defer delete_all e elem error fallthrough false float64 for func go
	goto i if import int int64 interface iota j k key len m make map_of maps max min msgp
	nil out p package panic print r range real recover return row rune s select series
	slices store strconv string struct switch table take time true type uint v value var
	w wire x y`)

// TestWords emits a package in which every letter is a receiver and every word
// is a field, an index, a collection and an enum value, and vets it.
func TestWords(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the go command")
	}
	dir := newModule(t)
	schema := filepath.Join(dir, "schema", "words")

	write := func(name, text string, args ...any) {
		writeFile(t, filepath.Join(schema, name+".yaml"), fmt.Appendf(nil, text, args...))
	}
	each := func(format string) string {
		var b strings.Builder
		for _, w := range words {
			fmt.Fprintf(&b, format, w)
		}
		return b.String()
	}

	types := "enums:\n  Word: [" + strings.TrimSuffix(strings.ToUpper(each("%s, ")), ", ") + "]\nstructs:\n  Item: {id: string}\n"
	for letter := 'a'; letter <= 'z'; letter++ {
		upper := unicode.ToUpper(letter)
		types += fmt.Sprintf(letterTypes, upper)
		write(string(letter)+"_row", letterTable, letter, upper)
		write(string(letter)+"_tick", letterSeries, letter)
	}
	write("types", "%s", types)
	write("words_row", "table: words_row\nkey: id\nfields:\n  id: string\n%sindexes:\n%s", each("  %s: string\n"), each("  %[1]s: {field: %[1]s}\n"))
	write("words_list", "table: words_list\nkey: list_id\nfields:\n  list_id: string\ncollections:\n%s", each("  %s: {list: Item, id: id}\n"))

	gen(t, 0, "-schema", schema, "-out", filepath.Join(dir, "gen", "words"))
	goCommand(t, dir, "vet", "./...")
}

const letterTypes = `
  %[1]cItem: {id: string, bytes: bytes}
  %[1]cs:
    items: list<Item>
    by_name: map<%[1]cItem>
    raw: list<bytes>?
    raw_by_name: map<bytes>?
    one: Item?
    texts: list<string>
`

const letterTable = `
table: %[1]c_row
key: [%[1]c, number, word, parent]
fields:
  %[1]c: string
  number: int64
  word: Word
  parent: words_row
  deep: list<%[2]cs>
  deep_by_name: map<%[2]cs>?
  deep_one: %[2]cs?
  self: %[1]c_row?
collections:
  items: {list: %[2]cItem, id: id, count: number}
indexes:
  by_number: {field: number}
  by_self: {field: self}
  by_parent: {field: parent}
`

const letterSeries = `
series: %[1]c_tick
key: {%[1]c_key: %[1]c_row}
capacity: 1
fields: {at: timestamp, raw: list<bytes>, all: list<Item>?}
`
