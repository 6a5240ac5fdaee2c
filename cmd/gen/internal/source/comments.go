package source

import (
	"strings"

	yaml "github.com/goccy/go-yaml/token"
)

// This file decides which comment is the doc of which key. A key that is the
// first on its line owns the comment lines directly above it and the comment
// behind it. A comment line that starts below a comment behind goes on with
// that. Lines "# ---" divide a list of fields and "# yaml-language-server:"
// talks to editors: neither is a doc.

type comment struct {
	text   string
	column int
	alone  bool // Nothing else on the line.
}

type comments struct {
	lines  []string
	byLine map[int]comment
}

func newComments(src string, tokens yaml.Tokens) comments {
	c := comments{lines: strings.Split(src, "\n"), byLine: map[int]comment{}}
	for _, t := range tokens {
		if t.Type != yaml.CommentType {
			continue
		}
		line := t.Position.Line
		c.byLine[line] = comment{
			text:   strings.TrimRight(strings.TrimPrefix(t.Value, " "), " \t"),
			column: t.Position.Column,
			alone:  c.first(line) == t.Position.Column,
		}
	}
	return c
}

// first is the column of the first character of a line.
func (c comments) first(line int) int {
	if line < 1 || line > len(c.lines) {
		return 0
	}
	text := c.lines[line-1]
	return 1 + len(text) - len(strings.TrimLeft(text, " "))
}

// of is the doc of the key at line and column.
func (c comments) of(line, column int) string {
	if c.first(line) != column {
		return ""
	}
	top := line
	for c.byLine[top-1].alone {
		top--
	}
	if behind, ok := c.byLine[top-1]; ok { // What continues the comment behind the key before.
		for top < line && c.byLine[top].column == behind.column {
			top++
		}
	}
	var doc []string
	for l := top; l < line; l++ {
		doc = append(doc, c.byLine[l].text)
	}
	if behind, ok := c.byLine[line]; ok {
		doc = append(doc, behind.text)
		for l := line + 1; c.byLine[l].alone && c.byLine[l].column == behind.column; l++ {
			doc = append(doc, c.byLine[l].text)
		}
	}
	kept := doc[:0]
	for _, text := range doc {
		if !strings.HasPrefix(text, "---") && !strings.HasPrefix(text, "yaml-language-server:") {
			kept = append(kept, text)
		}
	}
	return strings.Trim(strings.Join(kept, "\n"), "\n")
}
