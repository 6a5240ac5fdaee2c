package source

import (
	"go/token"
	"regexp"
	"slices"
	"strings"
)

// A decoder reads one file.
type decoder struct {
	errs *Errors
	path string
	docs comments
	ok   bool // The YAML seen so far is of the language.
}

var (
	nameForm  = regexp.MustCompile(`^[a-z][a-z0-9_]*$`)
	typeForm  = regexp.MustCompile(`^[A-Z][A-Za-z0-9]*$`)
	valueForm = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
)

// file returns nil when nothing of the file is usable.
func (d *decoder) file(name string, b []byte) *File {
	n := d.parse(b)
	if n == nil {
		return nil
	}
	if n.kind != mapping || len(n.entries) == 0 {
		d.errs.Addf(n.pos, "file", "is %s (want a mapping with one of the keys table, series, enums, structs)", n.kind)
		return nil
	}
	f := &File{Name: name}
	has := func(key string) bool {
		return slices.ContainsFunc(n.entries, func(e *entry) bool { return e.key.Value == key })
	}
	switch {
	case has("table"):
		f.Table = d.table(n)
	case has("series"):
		f.Series = d.series(n)
	case has("enums"), has("structs"):
		d.types(f, n)
	default:
		hint := ""
		for _, e := range n.entries {
			if hint = DidYouMean(e.key.Value, []string{"table", "series", "enums", "structs"}); hint != "" {
				break
			}
		}
		d.errs.Addf(n.pos, "file", "none of the keys table, series, enums, structs%s", hint)
		return nil
	}
	return f
}

// A key of a closed mapping, and what reads its value.
type key struct {
	name     string
	required bool
	read     func(e *entry)
}

// closed reads a mapping whose keys are known. Keys are read in the order of
// the list, whatever their order in the file. It returns false for anything
// but a mapping.
func (d *decoder) closed(n *node, subject string, keys []key) bool {
	if !d.want(n, mapping, subject) {
		return false
	}
	given := d.unique(n, subject)
	names := make([]string, len(keys))
	for i, k := range keys {
		names[i] = k.name
	}
	for _, e := range given {
		if !slices.Contains(names, e.key.Value) {
			d.errs.Addf(e.key.Pos, subject, "unknown key %q%s", e.key.Value, DidYouMean(e.key.Value, names))
		}
	}
	for _, k := range keys {
		i := slices.IndexFunc(given, func(e *entry) bool { return e.key.Value == k.name })
		switch {
		case i >= 0:
			k.read(given[i])
		case k.required:
			d.errs.Addf(n.pos, subject, "the key %q is missing", k.name)
		}
	}
	return true
}

// open reads a mapping with keys of the user's choice.
func (d *decoder) open(n *node, subject string, read func(e *entry)) {
	if !d.want(n, mapping, subject) {
		return
	}
	for _, e := range d.unique(n, subject) {
		read(e)
	}
}

// unique is the entries of a mapping without those that repeat a key.
func (d *decoder) unique(n *node, subject string) []*entry {
	seen := make(map[string]token.Position, len(n.entries))
	given := make([]*entry, 0, len(n.entries))
	for _, e := range n.entries {
		if first, again := seen[e.key.Value]; again {
			d.errs.Addf(e.key.Pos, subject, "%q is already set at line %d", e.key.Value, first.Line)
			continue
		}
		seen[e.key.Value] = e.key.Pos
		given = append(given, e)
	}
	return given
}

func (d *decoder) want(n *node, k kind, subject string) bool {
	if n.kind != k {
		d.errs.Addf(n.pos, subject, "is %s (want %s)", n.kind, k)
		return false
	}
	return true
}

// word reads a scalar.
func (d *decoder) word(n *node, subject string) Text {
	if !d.want(n, scalar, subject) {
		return Text{}
	}
	if strings.TrimSpace(n.text.Value) == "" {
		d.errs.Addf(n.pos, subject, "is empty")
		return Text{}
	}
	return n.text
}

// words reads a sequence of scalars of one form, each once. A word of another
// form is an error and kept, here and for every name: what refers to it is
// then no second error.
func (d *decoder) words(n *node, subject string, form func(Text, string)) []Text {
	if !d.want(n, sequence, subject) {
		return nil
	}
	if len(n.items) == 0 {
		d.errs.Addf(n.pos, subject, "the list is empty")
		return nil
	}
	var list []Text
	seen := make(map[string]token.Position, len(n.items))
	for _, item := range n.items {
		t := d.word(item, subject)
		if !t.Given() {
			continue
		}
		form(t, subject)
		if first, again := seen[t.Value]; again {
			d.errs.Addf(t.Pos, subject, "%q is listed twice (first at %d:%d)", t.Value, first.Line, first.Column)
			continue
		}
		seen[t.Value] = t.Pos
		list = append(list, t)
	}
	return list
}

// IsName tells whether s has the form of a name.
func IsName(s string) bool { return nameForm.MatchString(s) }

// name checks the form of a name: of a table, field, index and so on.
func (d *decoder) name(t Text, subject string) {
	if !IsName(t.Value) {
		d.errs.Addf(t.Pos, subject, "bad name %q (want a to z first, then a to z, 0 to 9, _)", t.Value)
	}
	d.long(t, subject)
}

// maxName is the length of the longest name, type name and value. Names are in
// every row and every key.
const maxName = 64

func (d *decoder) long(t Text, subject string) {
	if len(t.Value) > maxName {
		d.errs.Addf(t.Pos, subject, "the name %.16s... is longer than %d bytes", t.Value, maxName)
	}
}

// typeName checks the form of the name of an enum or struct.
func (d *decoder) typeName(t Text, subject string) bool {
	ok := typeForm.MatchString(t.Value)
	if !ok {
		d.errs.Addf(t.Pos, subject, "bad type name %q (want A to Z first, then letters and digits)", t.Value)
	}
	d.long(t, subject)
	return ok
}

// value checks the form of an enum value.
func (d *decoder) value(t Text, subject string) {
	if !valueForm.MatchString(t.Value) {
		d.errs.Addf(t.Pos, subject, "bad value %q (want A to Z first, then A to Z, 0 to 9, _)", t.Value)
	}
	d.long(t, subject)
}

// stateRefs reads [table.state, ...].
func (d *decoder) stateRefs(n *node) []Text {
	var refs []Text
	for _, t := range d.words(n, "kept_by", func(Text, string) {}) {
		table, state, ok := strings.Cut(t.Value, ".")
		if !ok || !IsName(table) || !IsName(state) {
			d.errs.Addf(t.Pos, "kept_by", "bad state %q (want table.state)", t.Value)
			continue
		}
		refs = append(refs, t)
	}
	return refs
}

func (d *decoder) nameOf(n *node, subject string) Text {
	t := d.word(n, subject)
	if t.Given() {
		d.name(t, subject)
	}
	return t
}
