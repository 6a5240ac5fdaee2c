package emit

import (
	"fmt"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// series prints the file of a series: key type, element, codec and what store
// must know about it. A series needs no repository of its own.
func (p *printer) series(t *model.Series) {
	s := p.names.seriesShape(t)
	p.keyType(t.KeyType, t.IDType, sentences(fmt.Sprintf("%s identifies a series of [%s].", t.IDType, t.GoName), t.KeyDoc))
	p.structType(s, fmt.Sprintf("%s is an element of series %s.", t.GoName, t.Name))
	p.codec(s)
	p.P("var %s = &%s[%s, %s]{", p.names.series(t), p.store("SeriesTable"), t.IDType, t.GoName)
	p.P("Name: %q,", t.Name)
	p.P("Codec: %s,", s.Codec)
	p.P("Key: %s,", p.keyCodec(keyForm(t.KeyType), t.IDType))
	p.P("Capacity: %d,", t.Capacity)
	p.P("}\n")
}
