package emit

import (
	"bytes"
	"fmt"
	"go/format"
	"path"
	"slices"
	"strings"
	"unicode"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// The packages that emitted code imports beside the standard library.
const (
	storePath   = "github.com/nacre-store/nacre/store"
	wirePath    = "github.com/nacre-store/nacre/store/wire"
	decimalPath = "github.com/shopspring/decimal"
	msgpPath    = "github.com/tinylib/msgp/msgp"
)

// A printer writes one Go file. It knows an import because a name of that
// package was asked for ([printer.from] and its short forms), never by looking
// at the text.
type printer struct {
	names   *names
	body    bytes.Buffer
	imports map[string]bool
}

func newPrinter(n *names) *printer {
	return &printer{names: n, imports: make(map[string]bool)}
}

// P prints one line; go/format indents it later.
func (p *printer) P(format string, args ...any) {
	fmt.Fprintf(&p.body, format, args...)
	p.body.WriteByte('\n')
}

// from returns name qualified by the package at importPath, which the file then imports.
func (p *printer) from(importPath, name string) string {
	p.imports[importPath] = true
	return path.Base(importPath) + "." + name
}

func (p *printer) store(name string) string { return p.from(storePath, name) }
func (p *printer) wire(name string) string  { return p.from(wirePath, name) }
func (p *printer) msgp(name string) string  { return p.from(msgpPath, name) }

// commentWidth is the column at which comments above a declaration wrap.
const commentWidth = 97

// doc prints text as a comment. Lines that are too long are wrapped, also in
// lists ("  - "); other indented lines stay as they are.
func (p *printer) doc(text string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(printable(text), "\n") {
		item, isItem := strings.CutPrefix(line, "  - ")
		switch {
		case isItem:
			for i, part := range wrap(item, commentWidth-len("//   - ")) {
				if i == 0 {
					part = "- " + part
				} else {
					part = "  " + part
				}
				p.P("//   %s", part)
			}
		case line == "" || line[0] == ' ' || line[0] == '\t':
			p.P("%s", strings.TrimRight("// "+line, " \t"))
		default:
			for _, part := range wrap(line, commentWidth-len("// ")) {
				p.P("// %s", part)
			}
		}
	}
}

// wrap breaks a line at spaces so that no part is wider than width, single long words excepted.
func wrap(line string, width int) []string {
	var parts []string
	part := ""
	for word := range strings.FieldsSeq(line) {
		switch {
		case part == "":
			part = word
		case len(part)+1+len(word) <= width:
			part += " " + word
		default:
			parts = append(parts, part)
			part = word
		}
	}
	return append(parts, part)
}

// printable drops what may not stand in a Go comment.
func printable(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' || unicode.IsPrint(r) {
			return r
		}
		return -1
	}, strings.ToValidUTF8(text, ""))
}

// source returns the whole file, formatted: header, package clause, imports, body.
func (p *printer) source(file, from string, pkg *model.Package) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s%s. DO NOT EDIT.\n\npackage %s\n\n", Header, from, pkg.Name)
	std, other := p.importPaths()
	if len(std)+len(other) > 0 {
		b.WriteString("import (\n")
		for _, path := range std {
			fmt.Fprintf(&b, "\t%q\n", path)
		}
		if len(std) > 0 && len(other) > 0 {
			b.WriteByte('\n')
		}
		for _, path := range other {
			fmt.Fprintf(&b, "\t%q\n", path)
		}
		b.WriteString(")\n\n")
	}
	b.Write(p.body.Bytes())
	out, err := format.Source(b.Bytes())
	if err != nil {
		return nil, &InternalError{File: file, Source: b.Bytes(), Err: err}
	}
	return out, nil
}

// importPaths returns the imports, standard library first, each group sorted.
func (p *printer) importPaths() (std, other []string) {
	for path := range p.imports {
		if first, _, _ := strings.Cut(path, "/"); strings.Contains(first, ".") {
			other = append(other, path)
		} else {
			std = append(std, path)
		}
	}
	slices.Sort(std)
	slices.Sort(other)
	return std, other
}
