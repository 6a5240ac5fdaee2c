package emit

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// This file holds what doc comments of emitted code are put together from.

// join lists words: "a", "a or b", "a, b or c".
func join(words []string, and string) string {
	if len(words) < 2 {
		return strings.Join(words, "")
	}
	last := len(words) - 1
	return strings.Join(words[:last], ", ") + " " + and + " " + words[last]
}

// sentences joins the texts that are not empty. A text of several lines starts a paragraph of its own.
func sentences(texts ...string) string {
	var b strings.Builder
	for _, text := range texts {
		switch {
		case text == "":
			continue
		case b.Len() == 0:
		case strings.Contains(text, "\n"):
			b.WriteString("\n\n")
		default:
			b.WriteByte(' ')
		}
		b.WriteString(text)
	}
	return b.String()
}

// spaced turns a schema name into words: order_list into "order list".
func spaced(name string) string { return strings.ReplaceAll(name, "_", " ") }

// article puts a or an before a word, which may be a doc link.
func article(word string) string {
	if strings.ContainsAny(strings.TrimPrefix(word, "[")[:1], "aeioAEIO") {
		return "an " + word
	}
	return "a " + word
}

// grouped writes a count with thousands separators: 10,000.
func grouped(n int64) string {
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

const day = 24 * time.Hour

// period writes a time to live in words: "7 days", "24 hours".
func period(d time.Duration) string {
	for _, unit := range units {
		if d%unit.size == 0 && (d >= unit.from) {
			if n := d / unit.size; n == 1 {
				return "one " + strings.TrimSuffix(unit.word, "s")
			} else {
				return fmt.Sprintf("%d %s", n, unit.word)
			}
		}
	}
	return d.String()
}

// duration writes a time to live as a Go expression in terms of package time.
func (p *printer) duration(d time.Duration) string {
	for _, unit := range units {
		if d%unit.size == 0 && d >= unit.from {
			return fmt.Sprintf(unit.expr, d/unit.size, p.from("time", unit.name))
		}
	}
	return fmt.Sprintf("%d * %s", d, p.from("time", "Nanosecond"))
}

// units are tried in this order; a single day is 24 hours.
var units = []struct {
	size, from time.Duration
	word, expr string
	name       string
}{
	{day, 2 * day, "days", "%d * 24 * %s", "Hour"},
	{time.Hour, time.Hour, "hours", "%d * %s", "Hour"},
	{time.Minute, time.Minute, "minutes", "%d * %s", "Minute"},
	{time.Second, time.Second, "seconds", "%d * %s", "Second"},
}
