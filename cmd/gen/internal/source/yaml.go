package source

import (
	"errors"
	"go/token"
	"strings"
	"unicode/utf8"

	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/lexer"
	"github.com/goccy/go-yaml/parser"
	yaml "github.com/goccy/go-yaml/token"
)

// This file runs the YAML parser, and before it refuses what two YAML readers
// could take for two different things and what the language does not have. The
// parser takes time by the square of some texts: what could make it slow is
// refused before it, too.

const (
	maxFile  = 256 << 10 // The trading tables take 10 KiB each at most.
	maxDepth = 32        // How deep [ and { may nest; the language needs 3.
)

// parse returns nil when the file is no YAML of this language; it has then
// said why.
func (d *decoder) parse(b []byte) *node {
	src := strings.ReplaceAll(strings.TrimPrefix(string(b), "\ufeff"), "\r\n", "\n")
	first := token.Position{Filename: d.path, Line: 1, Column: 1}
	d.ok = true
	if d.plain(src); !d.ok {
		return nil
	}
	tokens, file, err := d.yaml(src)
	if err != nil {
		msg := err.Error()
		var at interface {
			GetToken() *yaml.Token
			GetMessage() string
		}
		if errors.As(err, &at) {
			msg, _, _ = strings.Cut(at.GetMessage(), "\n")
			if t := at.GetToken(); t != nil {
				first = d.at(t)
			}
		}
		d.errs.Addf(first, "yaml", "%s", msg)
		return nil
	}
	if !d.ok {
		return nil
	}
	d.docs = newComments(src, tokens)
	for _, doc := range file.Docs {
		if doc.Body == nil {
			continue
		}
		n := d.node(doc.Body)
		if !d.ok {
			return nil
		}
		return n
	}
	d.errs.Addf(first, "file", "is empty (want one of the keys table, series, enums, structs)")
	return nil
}

// yaml turns a panic of the parser into an error: a file is user input.
func (d *decoder) yaml(src string) (tokens yaml.Tokens, file *ast.File, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the parser gave up on it")
		}
	}()
	tokens = lexer.Tokenize(src)
	if tokens.InvalidToken() == nil {
		if d.tokens(tokens); !d.ok {
			return nil, nil, nil
		}
	}
	// Without ParseComments the parser skips comments. Its own attachment
	// gives a comment behind an entry of {...} to the next entry and forgets
	// empty lines, so package source attaches them by position.
	file, err = parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	return tokens, file, err
}

// foreign says that something is YAML but not of the language.
func (d *decoder) foreign(pos token.Position, what string) {
	d.ok = false
	d.errs.Addf(pos, "yaml", "%s is not part of the language", what)
}

// foreignTokens is what YAML has and the language has not.
var foreignTokens = map[yaml.Type]string{
	yaml.AnchorType:     "an anchor",
	yaml.AliasType:      "an alias",
	yaml.TagType:        "a tag",
	yaml.MergeKeyType:   "a merge key",
	yaml.MappingKeyType: "a key with a question mark",
	yaml.LiteralType:    "a text block",
	yaml.FoldedType:     "a text block",
	yaml.DirectiveType:  "a directive",
}

// tokens refuses the first token that is not of the language.
func (d *decoder) tokens(tokens yaml.Tokens) {
	content, ended := false, false
	var last *yaml.Token
	for _, t := range tokens {
		switch t.Type {
		case yaml.CommentType:
			continue
		case yaml.DocumentHeaderType, yaml.DocumentEndType:
			ended = content
			continue
		}
		if ended {
			d.ok = false
			d.errs.Addf(d.at(t), "yaml", "a second document in one file (want one file for each)")
			return
		}
		content = true
		if what, ok := foreignTokens[t.Type]; ok {
			d.foreign(d.at(t), what)
			return
		}
		if last != nil && last.Position.Line == t.Position.Line {
			switch {
			case last.Type == yaml.SequenceEntryType && t.Type == yaml.SequenceEntryType:
				d.foreign(d.at(t), "a list in a list")
				return
			case endsValue(last.Type) && beginsValue(t.Type):
				d.ok = false
				d.errs.Addf(d.at(t), "yaml", "a value behind a value (is a comma missing?)")
				return
			}
		}
		last = t
	}
}

func isWord(t yaml.Type) bool {
	return t == yaml.StringType || t == yaml.SingleQuoteType || t == yaml.DoubleQuoteType
}

func endsValue(t yaml.Type) bool {
	return isWord(t) || t == yaml.SequenceEndType || t == yaml.MappingEndType
}

func beginsValue(t yaml.Type) bool {
	return isWord(t) || t == yaml.SequenceStartType || t == yaml.MappingStartType
}

// plain refuses text that is none, and tabs, which YAML readers differ on.
func (d *decoder) plain(src string) {
	refuse := func(pos token.Position, subject, format string, args ...any) {
		d.ok = false
		d.errs.Addf(pos, subject, format, args...)
	}
	if len(src) > maxFile {
		refuse(token.Position{Filename: d.path, Line: 1, Column: 1}, "file", "is larger than %d KiB", maxFile>>10)
		return
	}
	depth := 0
	for i, line := range strings.Split(src, "\n") {
		quote, before, column, comment := rune(0), ' ', 0, false
		for j, c := range line {
			column++
			pos := token.Position{Filename: d.path, Line: i + 1, Column: column}
			switch {
			case c == utf8.RuneError && !strings.HasPrefix(line[j:], "\ufffd"):
				refuse(pos, "file", "is not UTF-8 text")
				return
			case c == '\t' && comment:
			case c == '\t':
				refuse(pos, "yaml", "a tab (want spaces)")
				return
			case c < ' ' || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029 || c == 0xfeff:
				refuse(pos, "yaml", "the control character %U", c)
				return
			case comment:
			case c == '#' && quote == 0 && before == ' ':
				comment = true
			case quote != 0:
				if c == quote {
					quote = 0
				}
			case c == '"' || c == '\'':
				quote = c
			case c == '[' || c == '{':
				if depth++; depth > maxDepth {
					refuse(pos, "yaml", "nested deeper than %d", maxDepth)
					return
				}
			case c == ']' || c == '}':
				depth = max(0, depth-1)
			}
			before = c
		}
	}
}
