package model

import (
	"fmt"
	"go/token"
	"maps"
	"slices"
	"strings"

	"github.com/nacre-store/nacre/cmd/gen/internal/source"
)

// Class tells what a change of the schema does to what is stored already.
type Class string

// The classes of a change.
const (
	Safe      Class = "safe"      // Old and new processes read each other's rows.
	Build     Class = "to build"  // Rows stay readable; an index is to be built.
	Behaviour Class = "behaviour" // Rows stay readable; lifetimes or answers change.
	Breaking  Class = "breaking"  // Stored rows would be lost, misread or refused.
)

// A Change is one difference between two schemas.
type Change struct {
	Class   Class
	Pos     token.Position // In the schema.
	LockPos token.Position // In the lock; the file alone where the lock has nothing of it.
	Path    string         // Dotted: order.price, types by their name.
	Subject string         // As in error messages: field "price".
	What    string
	Why     string // In terms of rows that are stored.
}

// String is the change in the form of an error message.
func (c Change) String() string {
	return fmt.Sprintf("%s: %s", c.Pos, c.message())
}

func (c Change) message() string {
	lock := c.LockPos.Filename
	if c.LockPos.IsValid() {
		lock = fmt.Sprintf("%s:%d", lock, c.LockPos.Line)
	}
	return fmt.Sprintf("%s: %s: %s (%s)", c.Subject, c.What, c.Why, lock)
}

// NextLock compares p with the lock of the last run and returns the lock to
// write beside the emitted code, and what has changed, in order of position.
// Old is nil in the first run; path is what messages call the lock file.
//
// A breaking change is an error unless allowBreaking is set; the lock then
// records it. The error is a [go/scanner.ErrorList].
func NextLock(p *Package, path string, old []byte, allowBreaking bool) (next []byte, changes []Change, err error) {
	l := newLock(p)
	if old == nil {
		return l.bytes(), nil, nil
	}
	errs := new(source.Errors)
	before, lines := readLock(path, old, errs)
	if err := errs.Err(); err != nil {
		return nil, nil, err
	}
	changes = diff(before, l, lines, p.places)
	l.Allowed = before.Allowed
	for _, c := range changes {
		if c.Class != Breaking {
			continue
		}
		errs.Addf(c.Pos, c.Subject, "%s", strings.TrimPrefix(c.message(), c.Subject+": "))
		if what := c.Path + ": " + c.What; !slices.Contains(l.Allowed, what) {
			l.Allowed = append(l.Allowed, what)
		}
	}
	if err := errs.Err(); err != nil && !allowBreaking {
		return nil, changes, err
	}
	return l.bytes(), changes, nil
}

// differ collects changes.
type differ struct {
	old, new lock
	lines    places // In the lock.
	schema   places
	changes  []Change
}

func diff(old, new lock, lines, schema places) []Change {
	d := &differ{old: old, new: new, lines: lines, schema: schema}
	d.enums()
	for _, name := range bothKeys(old.Structs, new.Structs) {
		before, was := old.Structs[name]
		after, is := new.Structs[name]
		if was && is {
			d.fields(owner{"structs", name}, before, after)
		}
	}
	d.tables()
	d.series()
	slices.SortStableFunc(d.changes, func(a, b Change) int {
		return strings.Compare(sortKey(a.Pos), sortKey(b.Pos))
	})
	return d.changes
}

func sortKey(p token.Position) string {
	return fmt.Sprintf("%s:%08d:%08d", p.Filename, p.Line, p.Column)
}

// add enters a change of what names say, outermost first, as the lock nests it.
func (d *differ) add(class Class, names []string, subject, why, what string, args ...any) {
	path := names[1]
	switch {
	case len(names) > 4 && names[2] == "states":
		path += "." + names[4]
	case len(names) > 3:
		path += "." + names[3]
	}
	d.changes = append(d.changes, Change{
		Class: class, Pos: d.schema.of(names...), LockPos: d.lines.of(names...),
		Path: path, Subject: subject, What: fmt.Sprintf(what, args...), Why: why,
	})
}

func (d *differ) enums() {
	for _, name := range bothKeys(d.old.Enums, d.new.Enums) {
		names := []string{"enums", name}
		subject := fmt.Sprintf("enum %q", name)
		before, was := d.old.Enums[name]
		after, is := d.new.Enums[name]
		if _, isStruct := d.new.Structs[name]; was && isStruct {
			d.add(Breaking, []string{"structs", name}, fmt.Sprintf("struct %q", name), "stored rows hold a word there", "it was an enum")
		}
		if _, wasStruct := d.old.Structs[name]; is && wasStruct {
			d.add(Breaking, names, subject, "stored rows hold a struct there", "it was a struct")
		}
		if !was || !is {
			continue // Fields that have it report it.
		}
		for _, v := range without(before, after) {
			d.add(Breaking, append(names, v), subject, "stored rows may hold it, and no process would know it", "the value %s is dropped", v)
		}
		for _, v := range without(after, before) {
			if by := d.statesBy(name); by != "" {
				d.add(Behaviour, append(names, v), subject, "it decides the states of "+by+": a process of the older schema yields an error for such a row", "the value %s is new", v)
			} else {
				d.add(Safe, append(names, v), subject, "a process of the older schema keeps the word", "the value %s is new", v)
			}
		}
	}
}

// statesBy names the tables whose states an enum decides.
func (d *differ) statesBy(enum string) string {
	var by []string
	for _, name := range sortedKeys(d.new.Tables) {
		t := d.new.Tables[name]
		if t.States == nil {
			continue
		}
		i := slices.IndexFunc(t.Fields, func(f lockField) bool { return f.Name == t.States.By })
		if i >= 0 && t.Fields[i].Type == enum {
			by = append(by, name)
		}
	}
	return strings.Join(by, ", ")
}

func (d *differ) tables() {
	for _, name := range bothKeys(d.old.Tables, d.new.Tables) {
		names := []string{"tables", name}
		subject := fmt.Sprintf("table %q", name)
		before, was := d.old.Tables[name]
		after, is := d.new.Tables[name]
		switch {
		case !is:
			d.add(Breaking, names, subject, "its rows stay stored and nothing reads them", "it is dropped")
		case !was:
			d.add(Safe, names, subject, "nothing of it is stored", "it is new")
		default:
			d.fields(owner{"tables", name}, before.lockStruct, after.lockStruct)
			d.table(names, before, after)
		}
	}
}

func (d *differ) series() {
	for _, name := range bothKeys(d.old.Series, d.new.Series) {
		names := []string{"series", name}
		subject := fmt.Sprintf("series %q", name)
		before, was := d.old.Series[name]
		after, is := d.new.Series[name]
		switch {
		case !is:
			d.add(Breaking, names, subject, "its elements stay stored and nothing reads them", "it is dropped")
			continue
		case !was:
			d.add(Safe, names, subject, "nothing of it is stored", "it is new")
			continue
		}
		d.fields(owner{"series", name}, before.lockStruct, after.lockStruct)
		if before.Key != after.Key {
			d.add(Breaking, append(names, "key"), "key", "what is stored would be looked for under other keys",
				"it was %s: %s and is %s: %s", before.Key.Name, before.Key.Type, after.Key.Name, after.Key.Type)
		}
		if before.Capacity != after.Capacity {
			d.add(Behaviour, append(names, "capacity"), "capacity", "the next append trims to it",
				"it was %d and is %d", before.Capacity, after.Capacity)
		}
	}
}

// without is what a has and b has not.
func without(a, b []string) []string {
	return slices.DeleteFunc(slices.Clone(a), func(s string) bool { return slices.Contains(b, s) })
}

func bothKeys[V any](a, b map[string]V) []string {
	all := maps.Clone(a)
	if all == nil {
		all = map[string]V{}
	}
	maps.Copy(all, b)
	return sortedKeys(all)
}
