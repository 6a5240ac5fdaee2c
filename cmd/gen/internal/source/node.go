package source

import (
	"go/token"
	"strings"

	"github.com/goccy/go-yaml/ast"
	yaml "github.com/goccy/go-yaml/token"
)

// This file turns the YAML tree into the little of it that the language has:
// scalars as text, sequences, and mappings with scalar keys.

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
	default:
		d.foreign(out.pos, "this")
	}
	return out
}

func (d *decoder) entry(n *ast.MappingValueNode) *entry {
	e := &entry{}
	if key := d.node(n.Key); key.kind == scalar {
		e.key = key.text
	} else {
		d.foreign(key.pos, "a key that is no word")
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
