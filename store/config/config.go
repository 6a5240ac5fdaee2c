// Package config reads a [store.Config] from YAML, JSON or the environment.
//
// It is strict: an option that does not exist, is given twice, has a value of
// the wrong kind or contradicts another one is an error that names the option.
// The names are those of the specification; testdata/spec-config.yaml at the
// root of the repository is its example.
package config

import (
	"errors"
	"fmt"
	"io"
	"reflect"

	"github.com/goccy/go-yaml"
	"github.com/goccy/go-yaml/ast"
	"github.com/goccy/go-yaml/parser"

	"github.com/nacre-store/nacre/store"
)

// Load reads a configuration in YAML or JSON. What is not given keeps its
// default; an empty document is the default configuration. All mistakes are
// reported, each with its line.
func Load(r io.Reader) (store.Config, error) {
	var cfg store.Config
	b, err := io.ReadAll(r)
	if err != nil {
		return cfg, fmt.Errorf("config: %w", err)
	}
	file, err := parser.ParseBytes(b, 0)
	if syntax, ok := errors.AsType[*yaml.SyntaxError](err); ok {
		// Not the error itself: it quotes the lines around, a password's too.
		return cfg, fmt.Errorf("config: line %d: %s", syntax.Token.Position.Line, syntax.Message)
	}
	if err != nil {
		return cfg, fmt.Errorf("config: %w", err)
	}
	var f fields
	switch len(file.Docs) {
	case 0:
	case 1:
		if body := file.Docs[0].Body; body != nil && body.Type() != ast.NullType {
			f.structure("", body, reflect.ValueOf(&cfg).Elem())
		}
	default:
		f.bad(file.Docs[1].GetToken().Position.Line, "", "a second document")
	}
	if err := errors.Join(f.errs...); err != nil {
		return store.Config{}, err
	}
	if err := cfg.Validate(); err != nil {
		return store.Config{}, err
	}
	return cfg, nil
}

// fields sets options from a syntax tree and collects what is wrong with them.
type fields struct{ errs []error }

func (f *fields) bad(line int, option, format string, args ...any) {
	if option != "" {
		option += ": "
	}
	f.errs = append(f.errs, fmt.Errorf("config: line %d: %s%s", line, option, fmt.Sprintf(format, args...)))
}

// set sets the option at path, of any kind, from node.
func (f *fields) set(path string, node ast.Node, v reflect.Value) {
	line := node.GetToken().Position.Line
	switch node.(type) {
	case *ast.AnchorNode, *ast.AliasNode:
		f.bad(line, path, "anchors and aliases are not understood")
		return
	case *ast.NullNode:
		return // null, as in the specification's password=None, is the default
	}
	switch v.Kind() {
	case reflect.Struct:
		f.structure(path, node, v)
	case reflect.Slice:
		f.list(path, node, v)
	case reflect.Map:
		f.table(path, node, v)
	default:
		text, ok := scalar(node)
		if !ok {
			f.bad(line, path, "want %s", wanted(v.Type()))
			return
		}
		if isQuoted(node) && v.Kind() != reflect.String && v.Type() != duration {
			f.bad(line, path, "want %s, not a string", wanted(v.Type()))
			return
		}
		if err := setText(v, text); err != nil {
			f.bad(line, path, "%v", err)
		}
	}
}

func (f *fields) structure(path string, node ast.Node, v reflect.Value) {
	options := optionsOf(v.Type())
	f.entries(path, node, func(name, path string, line int, value ast.Node) {
		index, ok := options[name]
		if !ok {
			f.bad(line, path, "unknown option%s", hint(name, options))
			return
		}
		f.set(path, value, v.Field(index))
	})
}

func (f *fields) table(path string, node ast.Node, v reflect.Value) {
	m := reflect.MakeMap(v.Type())
	f.entries(path, node, func(name, path string, _ int, value ast.Node) {
		elem := reflect.New(v.Type().Elem()).Elem()
		f.set(path, value, elem)
		m.SetMapIndex(reflect.ValueOf(name), elem)
	})
	v.Set(m)
}

func (f *fields) list(path string, node ast.Node, v reflect.Value) {
	seq, ok := node.(*ast.SequenceNode)
	if !ok {
		f.bad(node.GetToken().Position.Line, path, "want a list")
		return
	}
	for i, value := range seq.Values {
		elem := reflect.New(v.Type().Elem()).Elem()
		f.set(fmt.Sprintf("%s[%d]", path, i), value, elem)
		v.Set(reflect.Append(v, elem))
	}
}

// entries calls fn for every entry of a mapping, with the path of its option.
func (f *fields) entries(path string, node ast.Node, fn func(name, path string, line int, value ast.Node)) {
	var values []*ast.MappingValueNode
	switch m := node.(type) {
	case *ast.MappingNode:
		values = m.Values
	case *ast.MappingValueNode:
		values = []*ast.MappingValueNode{m}
	default:
		f.bad(node.GetToken().Position.Line, path, "want options, as name: value")
		return
	}
	seen := map[string]bool{}
	for _, value := range values {
		line := value.Key.GetToken().Position.Line
		name, ok := scalar(value.Key)
		if !ok {
			f.bad(line, path, "want an option's name, not %s", value.Key)
			continue
		}
		full := join(path, name)
		if seen[name] {
			f.bad(line, full, "given twice")
			continue
		}
		seen[name] = true
		fn(name, full, line, value.Value)
	}
}
