package emit

import (
	"fmt"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// tables prints the file that ties a package together: Tables, New and Schema.
func (p *printer) tables(pkg *model.Package, lock []byte) {
	p.doc("The wire package must be of this generation: if the next line does not compile, upgrade the nacre module, or generate with the cmd/gen of the version in go.mod.")
	p.P("const _ = %s\n", p.wire("V2"))

	p.doc("Tables holds all that package " + pkg.Name + " keeps in Redis.")
	p.P("type Tables struct {")
	for _, t := range pkg.Tables {
		p.P("%s %s", t.GoPlural, t.GoPlural)
	}
	for _, s := range pkg.Series {
		p.P("")
		p.doc(fmt.Sprintf("%s holds the newest %s [%s] elements of each %s, oldest first, under %s.",
			s.GoPlural, grouped(s.Capacity), s.GoName, spaced(s.KeyName), key(s.Name, "", s.KeyName)))
		p.P("%s %s[%s, %s]", s.GoPlural, p.store("Series"), s.IDType, s.GoName)
	}
	p.P("}\n")

	p.doc("New returns the tables as s sees them: a [*store.Store], or inside of Commit a [*store.Tx].")
	p.P("func New(s %s) Tables {", p.store("Session"))
	p.P("return Tables{")
	for _, t := range pkg.Tables {
		p.P("%s: %s{%s.Rows(s)},", t.GoPlural, t.GoPlural, p.names.table(t))
	}
	for _, s := range pkg.Series {
		p.P("%s: %s.In(s),", s.GoPlural, p.names.series(s))
	}
	p.P("}\n}\n")

	p.doc("Schema describes this package to store.Config.Schemas.")
	p.P("var Schema = %s{", p.store("Schema"))
	p.P("Name: %q,", pkg.Name)
	p.P("Fingerprint: %q,", model.Fingerprint(lock))
	p.P("Tables: []%s{", p.store("Described"))
	for _, t := range pkg.Tables {
		p.P("%s,", p.names.table(t))
	}
	for _, s := range pkg.Series {
		p.P("%s,", p.names.series(s))
	}
	p.P("},\n}\n")
}
