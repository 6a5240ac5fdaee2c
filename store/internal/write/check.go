package write

import "strconv"

// A Check is a condition of an atomic step.
type Check struct {
	kind, key, a, b string
}

// RowIs checks a row's bytes; nil is absent.
func RowIs(key string, row []byte) Check {
	if row == nil {
		return Check{kind: "absent", key: key}
	}
	return Check{kind: "row", key: key, a: text(row)}
}

// FieldIs checks a hash field's bytes; nil is absent.
func FieldIs(key, field string, value []byte) Check {
	if value == nil {
		return Check{kind: "nofield", key: key, a: field}
	}
	return Check{kind: "field", key: key, a: field, b: text(value)}
}

// FieldsAre checks how many fields a hash has.
func FieldsAre(key string, n int) Check {
	return Check{kind: "fields", key: key, a: strconv.Itoa(n)}
}

// ListIs checks a list by the number of elements ever appended, which its seen
// key holds, and by its newest element; nil is an empty list.
func ListIs(list, seen, total string, last []byte) []Check {
	return []Check{{kind: "total", key: seen, a: total}, {kind: "last", key: list, a: text(last)}}
}

// shows tells whether the checks hold only as long as the ops have not been
// applied: then the same step may be sent again when no reply came, for if it
// was applied it fails. Elements that are appended are known by their ids, so
// they show it as well.
func shows(checks []Check, ops []Op) bool {
	for i := range ops {
		o := &ops[i]
		if o.Kind == Append && len(o.Elems) > 0 && emptied(ops[:i], o.partKey(o.Part)) == "0" {
			return true
		}
		for _, c := range checks {
			if o.contradicts(c) && lastOn(ops[i:], o) {
				return true
			}
		}
	}
	return false
}

// contradicts tells whether the check cannot hold once the op is applied.
func (o *Op) contradicts(c Check) bool {
	switch c.kind {
	case "row":
		return o.WritesRow() && c.key == o.RowKey() && (o.Kind == Delete || string(o.Row) != c.a)
	case "absent":
		return (o.Kind == Put || o.Kind == Append) && c.key == o.RowKey()
	case "nofield", "field":
		if o.Kind != HashPut && o.Kind != HashDelete || c.key != o.PartKey() {
			return false
		}
		for _, e := range o.Elems {
			if e.ID != c.a {
				continue
			}
			if c.kind == "nofield" {
				return o.Kind == HashPut
			}
			return o.Kind == HashDelete || string(e.Value) != c.b
		}
	}
	return false
}

// lastOn tells whether no op behind the first one changes the same thing.
func lastOn(ops []Op, o *Op) bool {
	for i := range ops[1:] {
		p := &ops[1+i]
		if p.RowKey() == o.RowKey() && (p.WritesRow() || p.PartKey() == o.PartKey()) {
			return false
		}
	}
	return true
}
