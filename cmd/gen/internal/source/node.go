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

// This file turns YAML into the little of it that the language has: scalars as
// text, sequences, and mappings with scalar keys. Everything else that YAML
// could mean (anchors, aliases, tags, several documents) is an error.

type kind string

const (
	null     kind = "nothing"
	scalar   kind = "a word"
	sequence kind = "a list [...]"
	mapping  kind = "a mapping {...}"
)

type node struct {
	kind    kind
	text    Text // Of a scalar; its position is that of the text inside quotes.
	pos     token.Position
	items   []*node
	entries []*entry
}

// An entry is "key: value" with its comments.
type entry struct {
	key   Text
	doc   string
	value *node
}

// parse returns nil when the file is no YAML of this language; it has then
// said why.
func (d *decoder) parse(b []byte) *node {
	src := strings.ReplaceAll(strings.TrimPrefix(string(b), "\ufeff"), "\r\n", "\n")
	if !d.plain(src) {
		return nil
	}
	tokens, file, err := parseYAML(src)
	if err != nil {
		pos, msg := token.Position{Filename: d.path, Line: 1, Column: 1}, err.Error()
		var at interface {
			GetToken() *yaml.Token
			GetMessage() string
		}
		if errors.As(err, &at) {
			msg = at.GetMessage()
			if t := at.GetToken(); t != nil {
				pos = d.at(t)
			}
		}
		d.errs.Addf(pos, "yaml", "%s", msg)
		return nil
	}
	d.docs = newComments(src, tokens)
	var body ast.Node
	for _, doc := range file.Docs {
		switch n := doc.Body.(type) {
		case nil:
		case *ast.DirectiveNode:
			d.errs.Addf(d.at(n.GetToken()), "yaml", "a directive is not part of the language")
			return nil
		default:
			if body != nil {
				d.errs.Addf(d.start(n), "yaml", "a second document in one file (want one file for each)")
				return nil
			}
			body = n
		}
	}
	if body == nil {
		d.errs.Addf(token.Position{Filename: d.path, Line: 1, Column: 1}, "file", "is empty (want one of the keys table, series, enums, structs)")
		return nil
	}
	d.ok = true
	n := d.node(body)
	if !d.ok {
		return nil
	}
	return n
}

// parseYAML turns a panic of the parser into an error: a file is user input.
func parseYAML(src string) (tokens yaml.Tokens, file *ast.File, err error) {
	defer func() {
		if recover() != nil {
			err = errors.New("the parser gave up on it")
		}
	}()
	tokens = lexer.Tokenize(src)
	// Without ParseComments the parser skips comments. Its own attachment
	// gives a comment behind an entry of {...} to the next entry and forgets
	// blank lines, so package source attaches them by position.
	file, err = parser.Parse(tokens, 0, parser.AllowDuplicateMapKey())
	return tokens, file, err
}

// maxDepth is how deep [ and { may nest. The language needs 3.
const maxDepth = 32

// plain refuses text that is no YAML or that two YAML readers could take for
// two different things.
func (d *decoder) plain(src string) bool {
	first := token.Position{Filename: d.path, Line: 1, Column: 1}
	if len(src) > maxFile {
		d.errs.Addf(first, "file", "is larger than %d bytes", maxFile)
		return false
	}
	depth := 0
	for i, line := range strings.Split(src, "\n") {
		quote, before, column, comment := rune(0), ' ', 0, false
		for j, c := range line {
			column++
			pos := token.Position{Filename: d.path, Line: i + 1, Column: column}
			switch {
			case c == utf8.RuneError && !strings.HasPrefix(line[j:], "\ufffd"):
				d.errs.Addf(pos, "file", "is not UTF-8 text")
				return false
			case c == '\t' && comment:
			case c == '\t':
				d.errs.Addf(pos, "yaml", "a tab (want spaces)")
				return false
			case c < ' ' || c == 0x7f || c == 0x85 || c == 0x2028 || c == 0x2029 || c == 0xfeff:
				d.errs.Addf(pos, "yaml", "the control character %U", c)
				return false
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
					d.errs.Addf(pos, "yaml", "nested deeper than %d", maxDepth)
					return false
				}
			case c == ']' || c == '}':
				depth = max(0, depth-1)
			}
			before = c
		}
	}
	return true
}

func (d *decoder) at(t *yaml.Token) token.Position {
	return token.Position{Filename: d.path, Line: max(1, t.Position.Line), Column: max(1, t.Position.Column)}
}

// start is where the text of n begins; the parser's own position of a block
// mapping is its first colon.
func (d *decoder) start(n ast.Node) token.Position {
	switch n := n.(type) {
	case *ast.MappingNode:
		if !n.IsFlowStyle && len(n.Values) > 0 {
			return d.start(n.Values[0])
		}
	case *ast.MappingValueNode:
		return d.start(n.Key)
	}
	return d.at(n.GetToken())
}

func (d *decoder) refuse(n ast.Node, what string) *node {
	d.ok = false
	d.errs.Addf(d.start(n), "yaml", "%s is not part of the language", what)
	return &node{kind: null, pos: d.start(n)}
}

func (d *decoder) node(n ast.Node) *node {
	out := &node{pos: d.start(n)}
	switch n := n.(type) {
	case *ast.NullNode:
		out.kind = scalar
		out.text = d.text(n)
		if t := n.GetToken(); t.Type == yaml.ImplicitNullType || strings.TrimSpace(t.Origin) == "" {
			out.kind = null
		}
	case *ast.StringNode, *ast.IntegerNode, *ast.FloatNode, *ast.BoolNode, *ast.InfinityNode, *ast.NanNode:
		out.kind = scalar
		out.text = d.text(n)
	case *ast.SequenceNode:
		out.kind = sequence
		for _, v := range n.Values {
			out.items = append(out.items, d.node(v))
		}
	case *ast.MappingNode:
		out.kind = mapping
		for _, v := range n.Values {
			out.entries = append(out.entries, d.entry(v))
		}
	case *ast.MappingValueNode:
		out.kind = mapping
		out.entries = append(out.entries, d.entry(n))
	case *ast.LiteralNode:
		return d.refuse(n, "a text block")
	case *ast.AnchorNode:
		return d.refuse(n, "an anchor")
	case *ast.AliasNode:
		return d.refuse(n, "an alias")
	case *ast.TagNode:
		return d.refuse(n, "a tag")
	default:
		return d.refuse(n, "this")
	}
	return out
}

func (d *decoder) entry(n *ast.MappingValueNode) *entry {
	e := &entry{}
	switch k := n.Key.(type) {
	case *ast.MergeKeyNode:
		d.refuse(n, "a merge key")
	case *ast.MappingKeyNode:
		d.refuse(n, "a key with a question mark")
	default:
		if key := d.node(k); key.kind == scalar {
			e.key = key.text
		} else if d.ok {
			d.refuse(n, "a key that is no word")
		}
	}
	if e.key.Given() {
		e.doc = d.docs.of(e.key.Pos.Line, d.start(n).Column)
	}
	e.value = d.node(n.Value)
	return e
}

// text is the scalar as it is written, without its quotes.
func (d *decoder) text(n ast.Node) Text {
	t := n.GetToken()
	pos := d.at(t)
	if t.Type == yaml.DoubleQuoteType || t.Type == yaml.SingleQuoteType {
		pos.Column++
	}
	return Text{Value: t.Value, Pos: pos}
}
