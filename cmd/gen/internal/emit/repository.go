package emit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// repository prints the typed face of a table: store.Rows embedded, one
// delegate for each index and collection.
func (p *printer) repository(t *model.Table, s shape) {
	p.doc(repositoryDoc(t))
	p.P("type %s struct {", t.GoPlural)
	p.P("%s[%s, %s]", p.store("Rows"), t.IDType, t.GoName)
	p.P("}\n")
	for _, x := range t.Indexes {
		p.indexMethod(t, s, x)
	}
	for _, c := range t.Collections {
		p.collectionMethods(t, s, c)
	}
}

// repositoryDoc tells where the rows are, how long they live and what Put leaves alone.
func repositoryDoc(t *model.Table) string {
	paragraphs := []string{
		fmt.Sprintf("%s reads and writes [%s] rows under %s. %s", t.GoPlural, t.GoName, tableKey(t, ""), lifetime(t)),
		keeping(t),
	}
	if lists := listsOf(t); len(lists) > 0 {
		appends := make([]string, len(lists))
		for i, c := range lists {
			appends[i] = "Append" + c.GoName
		}
		paragraphs = append(paragraphs, fmt.Sprintf(
			"Put is for import and correction: it writes the row and leaves %s alone. %s %s a row together with its history.",
			join(spacedNames(lists), "and"), join(appends, "and"), verb(len(lists), "change")))
	}
	return strings.Join(slices.DeleteFunc(paragraphs, func(s string) bool { return s == "" }), "\n\n")
}

// lifetime says when rows expire: as a list of the states, if there are any.
func lifetime(t *model.Table) string {
	with := ""
	if len(t.Collections) > 0 {
		with = ", together with its " + join(spacedNames(t.Collections), "and")
	}
	expires := func(ttl time.Duration) string {
		if ttl == 0 {
			return "does not expire."
		}
		return fmt.Sprintf("expires %s after its last write%s.", period(ttl), with)
	}
	if t.States == nil {
		return "A row " + expires(t.TTL)
	}
	text := "By " + t.States.By.Name + ", a row is"
	for _, st := range t.States.List {
		text += sentences(fmt.Sprintf("\n  - %s (%s): %s", spaced(st.Name), join(st.Values, "or"), expires(st.TTL)),
			strings.ReplaceAll(st.Doc, "\n", " "))
	}
	return text
}

// keeping says which rows keep which others from expiring.
func keeping(t *model.Table) string {
	var text []string
	if len(t.KeptBy) > 0 {
		text = append(text, fmt.Sprintf("A row does not expire while %s refers to it; its time to live starts when the last of them goes.", join(keepers(t), "or")))
	}
	for _, field := range t.Fields {
		if states := heldIn(t, field); len(states) > 0 {
			text = append(text, fmt.Sprintf("While %s, a row keeps the %s that its %s names from expiring.",
				join(states, "or"), spaced(field.Type.Table.Name), field.Name))
		}
	}
	return strings.Join(text, " ")
}

// keepers lists what keeps a row of t: "an order that is pending or open".
func keepers(t *model.Table) []string {
	var tables []*model.Table
	states := make(map[*model.Table][]string)
	for _, r := range t.KeptBy {
		if states[r.Table] == nil {
			tables = append(tables, r.Table)
		}
		states[r.Table] = append(states[r.Table], spaced(r.State.Name))
	}
	list := make([]string, len(tables))
	for i, by := range tables {
		list[i] = article(spaced(by.Name)) + " that is " + join(states[by], "or")
	}
	return list
}

// heldIn returns the states in which a row keeps what field refers to.
func heldIn(t *model.Table, field *model.Field) []string {
	var states []string
	for _, h := range t.Holds {
		if h.Field == field {
			states = append(states, spaced(h.State.Name))
		}
	}
	return states
}

// indexMethod prints the method that returns an index as a set.
func (p *printer) indexMethod(t *model.Table, s shape, x *model.Index) {
	var conditions []string
	if x.State != nil {
		conditions = append(conditions, fmt.Sprintf("whose %s is %s", t.States.By.Name, join(x.State.Values, "or")))
	}
	params, args := "", ""
	if f := x.Field; f != nil {
		name := p.names.param(f.GoName, "value", "r", "string", "int64", "strconv")
		goType := p.goType(f.Type)
		if f == s.key {
			goType = s.idType
		}
		params, args = name+" "+goType, ", "+p.fieldText(s, f, name)
		condition := "with the given " + f.Name
		if f.Optional || f.Type.Kind == model.String {
			condition += "; rows without one are not listed"
		}
		conditions = append(conditions, condition)
	}
	hides := ""
	if x.GoName == "Pending" {
		hides = "Whether a buffered write of a row is pending, r.Rows.Pending tells."
	}
	p.doc(sentences(fmt.Sprintf("%s returns the %s %s.", x.GoName, spaced(t.Plural), strings.Join(conditions, ", ")), x.Doc, hides))
	p.P("func (r %s) %s(%s) %s[%s, %s] {", t.GoPlural, x.GoName, params, p.store("Set"), t.IDType, t.GoName)
	p.P("return %s.Index(r.Rows, %q%s)", p.names.table(t), x.Name, args)
	p.P("}\n")
}

// collectionMethods prints the accessor of a collection and, for a list, the append.
func (p *printer) collectionMethods(t *model.Table, s shape, c *model.Collection) {
	kind, kept := "List", ", oldest first"
	if c.Hash {
		kind, kept = "Hash", ""
	}
	if c.Capacity > 0 {
		kept = fmt.Sprintf(": the newest %s, oldest first", grouped(c.Capacity))
	}
	element := c.Struct.Name
	p.doc(sentences(fmt.Sprintf("%s returns the %s of one %s under %s%s.",
		c.GoName, spaced(c.Name), spaced(t.Name), tableKey(t, c.Name), kept), c.Doc))
	p.P("func (r %s) %s(id %s) %s[%s] {", t.GoPlural, c.GoName, t.IDType, p.store(kind), element)
	p.P("return %s.Of(r.Rows, id)", p.names.collection(c))
	p.P("}\n")
	whole := "[]" + element
	if c.Hash {
		whole = "map[string]" + element
	}
	p.doc(fmt.Sprintf("%sOf yields the %s of many %s, in the order of the ids, with many in each round trip.",
		c.GoName, spaced(c.Name), spaced(t.Plural)))
	p.P("func (r %s) %sOf(ctx %s, ids ...%s) %s[%s[%s, %s], error] {", t.GoPlural, c.GoName, p.from("context", "Context"),
		t.IDType, p.from("iter", "Seq2"), p.store("OfRow"), t.IDType, whole)
	p.P("return %s.Many(ctx, r.Rows, ids)", p.names.collection(c))
	p.P("}\n")
	if c.Hash {
		return
	}

	elements := p.names.param(c.GoName, "elements", "ctx", "r", s.Recv)
	doc := fmt.Sprintf("Append%s writes %s and appends to its %s in one atomic step. An element whose %s is in the list already is left out, so that a repeated call does no harm.",
		c.GoName, s.Recv, spaced(c.Name), c.ID.Name)
	if c.Count != nil {
		unless := ""
		if c.Count.Optional {
			unless = ", where it is set,"
		}
		doc += fmt.Sprintf(" %s.%s%s must count the new elements too: where the list would hold another number, nothing is written and the error is [store.ErrConflict].",
			s.Recv, c.Count.GoName, unless)
	}
	p.doc(doc)
	p.P("func (r %s) Append%s(ctx %s, %s %s, %s ...%s) error {",
		t.GoPlural, c.GoName, p.from("context", "Context"), s.Recv, t.GoName, elements, element)
	p.P("return %s.Append(ctx, r.Rows, %s, %s)", p.names.collection(c), s.Recv, elements)
	p.P("}\n")
}

// tableKey writes the pattern of a table's keys, or of those of one of its collections.
func tableKey(t *model.Table, part string) string {
	fields := make([]string, len(t.Key))
	for i, f := range t.Key {
		fields[i] = f.Name
	}
	return key(t.Name, part, fields...)
}

// key writes a key pattern: {prefix}-position.fills:{position_id}.
func key(name, part string, id ...string) string {
	if part != "" {
		name += "." + part
	}
	return "{prefix}-" + name + ":{" + strings.Join(id, "}:{") + "}"
}

func listsOf(t *model.Table) []*model.Collection {
	return slices.DeleteFunc(slices.Clone(t.Collections), func(c *model.Collection) bool { return c.Hash })
}

func spacedNames(collections []*model.Collection) []string {
	names := make([]string, len(collections))
	for i, c := range collections {
		names[i] = spaced(c.Name)
	}
	return names
}

// verb puts a verb into the form that n subjects ask for.
func verb(n int, plural string) string {
	if n == 1 {
		return plural + "s"
	}
	return plural
}
