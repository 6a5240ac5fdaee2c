package emit

import (
	"fmt"
	"slices"
	"strings"

	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// codec prints how s is written and read: append and take, one line a field;
// Clone where values share memory; and for what is stored on its own the codec
// variable and the methods of msgp's and encoding/json's interfaces.
func (p *printer) codec(s shape) {
	open := "Map"
	if s.Array {
		open = "Array"
	}
	required := 0
	for _, f := range s.Fields {
		if !f.Optional {
			required++
		}
	}
	p.P("func (%s *%s) append(w *%s) {", s.Recv, s.Name, p.wire("Writer"))
	p.P("m := w.%s(%d, %d)", open, required, len(s.Fields))
	for _, f := range s.Fields {
		p.appendField(s, f)
	}
	p.P("w.End(m, %s.Extra)", s.Recv)
	p.P("}\n")

	p.P("func (%s *%s) take(r *%s) {", s.Recv, s.Name, p.wire("Reader"))
	p.P("m := r.%s(%d, %d)", open, required, len(s.Fields))
	for _, f := range s.Fields {
		p.takeField(s, f)
	}
	p.P("r.End(m, &%s.Extra)", s.Recv)
	p.P("}\n")

	if s.Stored {
		p.methods(s)
	}
	if p.shares(s.Fields) {
		p.clone(s)
	}
}

// methods prints the codec variable and the methods that call it.
func (p *printer) methods(s shape) {
	method := func(doc, signature, body string) {
		p.doc(doc)
		p.P("func %s { %s }\n", signature, body)
	}
	pointer := fmt.Sprintf("(%s *%s)", s.Recv, s.Name)
	p.P("var %s = %s(%q, (*%s).append, (*%s).take)\n", s.Codec, p.wire("NewCodec"), s.Wire, s.Name, s.Name)

	p.doc("MarshalMsg implements [msgp.Marshaler]: it appends the value to b.")
	p.P("func %s MarshalMsg(b []byte) ([]byte, error) {", pointer)
	p.P("w := %s.Writer(b)", s.Codec)
	p.P("%s.append(&w)", s.Recv)
	p.P("return w.Close()")
	p.P("}\n")

	reused := ""
	if p.shares(s.Fields) {
		reused = fmt.Sprintf(" Lists and maps of a used %s are filled again: see Clone.", s.Name)
	}
	p.doc("UnmarshalMsg implements [msgp.Unmarshaler]: it reads the value and returns what follows it. After an error the value holds anything." + reused)
	p.P("func %s UnmarshalMsg(b []byte) ([]byte, error) {", pointer)
	p.P("r := %s.Reader(b)", s.Codec)
	p.P("for r.Next() {\n%s.take(&r)\n}", s.Recv)
	p.P("return r.Close()")
	p.P("}\n")

	method("Msgsize implements [msgp.Sizer].", pointer+" Msgsize() int", fmt.Sprintf("return %s.Size(%s)", s.Codec, s.Recv))
	method("EncodeMsg implements [msgp.Encodable].", fmt.Sprintf("%s EncodeMsg(w *%s) error", pointer, p.msgp("Writer")), fmt.Sprintf("return %s.EncodeMsg(w, %s)", s.Codec, s.Recv))
	method("DecodeMsg implements [msgp.Decodable].", fmt.Sprintf("%s DecodeMsg(r *%s) error", pointer, p.msgp("Reader")), fmt.Sprintf("return %s.DecodeMsg(r, %s)", s.Codec, s.Recv))
	method("MarshalJSON implements [json.Marshaler], with numbers that JSON readers would round as strings.", fmt.Sprintf("(%s %s) MarshalJSON() ([]byte, error)", s.Recv, s.Name), fmt.Sprintf("return %s.ToJSON(&%s)", s.Codec, s.Recv))
	method("UnmarshalJSON implements [json.Unmarshaler].", pointer+" UnmarshalJSON(b []byte) error", fmt.Sprintf("return %s.FromJSON(b, %s)", s.Codec, s.Recv))
}

// wireKey returns the Go literal of a field's key: the header of a str and the name.
func wireKey(f *model.Field) string {
	if n := len(f.Name); n > 31 {
		return fmt.Sprintf(`"\xd9\x%02x%s"`, n, f.Name)
	}
	return fmt.Sprintf(`"\x%02x%s"`, 0xa0|len(f.Name), f.Name)
}

// keySize is the size of a field's key on the wire.
func keySize(f *model.Field) int {
	if n := len(f.Name); n > 31 {
		return 2 + n
	}
	return 1 + len(f.Name)
}

// least returns the size of the shortest value of type t.
func least(t model.Type) int {
	if t.Kind != model.StructKind {
		return 1
	}
	size := 1
	for _, f := range t.Struct.Fields {
		if !f.Optional {
			size += keySize(f) + least(f.Type)
		}
	}
	return size
}

// presence returns wire.Optional or wire.Required.
func (p *printer) presence(f *model.Field) string {
	if f.Optional {
		return p.wire("Optional")
	}
	return p.wire("Required")
}

// limit returns the longest string or bytes value of a field.
func (p *printer) limit(f *model.Field) string {
	switch {
	case f.Max == 0:
		return p.wire("MaxString")
	case f.Max%(1<<20) == 0:
		return fmt.Sprintf("%d<<20", f.Max>>20)
	case f.Max%(1<<10) == 0:
		return fmt.Sprintf("%d<<10", f.Max>>10)
	}
	return fmt.Sprint(f.Max)
}

// A word is how the functions of package wire call a type.
type word struct {
	name    string
	generic bool // A function of the package, else a method of its Writer or Reader.
	limit   bool // Its values have a max.
}

// wordOf returns the word of a type that is no struct, list or map.
func wordOf(t model.Type) word {
	switch t.Kind {
	case model.Bool:
		return word{name: "Bool"}
	case model.Int64:
		return word{name: "Int", generic: true}
	case model.Float64:
		return word{name: "Float"}
	case model.Decimal:
		return word{name: "Decimal"}
	case model.Timestamp:
		return word{name: "Timestamp", generic: true}
	case model.Bytes:
		return word{name: "Bytes", limit: true}
	case model.Reference:
		switch idFormOf(t.Table) {
		case intID:
			return word{name: "Int", generic: true}
		case textID:
			return word{name: "Text", generic: true}
		}
	}
	return word{name: "String", generic: true, limit: true}
}

// call returns the call of a Put or Take function for one field of a Go type.
// Value is an expression, with & where the function takes a pointer.
func (p *printer) call(verb, on string, f *model.Field, typ, key, value string) string {
	var w word
	name, args := "", []string{key, value}
	switch f.Type.Kind {
	case model.List, model.Map:
		w = wordOf(*f.Type.Elem)
		switch {
		case f.Type.Kind == model.Map:
			name = w.name + "Map"
		case w.name == "Bytes":
			name = "BytesList"
		default:
			name = w.name + "s"
		}
		args = append(args, p.presence(f))
		if w.limit {
			args = append(args, p.limit(f))
		}
	case model.Bytes:
		name = "Bytes"
		args = append(args, p.presence(f), p.limit(f))
	default:
		w = wordOf(f.Type)
		name = w.name
		if f.Optional {
			name = "Opt" + name
			switch {
			case opt(f):
				w.generic = false
				if verb == "Take" {
					args = []string{key, value + ".Value", value + ".Valid"}
				}
			case w.name == "Int":
				name += "ID"
			}
		}
		if verb == "Take" && w.name == "String" {
			w.generic = false
			if typ != "string" {
				args[1] = "(*string)(" + value + ")"
			}
		}
		if verb == "Take" && f.Type.Kind == model.EnumKind {
			name = strings.Replace(name, "String", "Enum", 1)
		}
		if w.limit && f.Max != 0 {
			name += "Max"
			args = append(args, p.limit(f))
		}
	}
	if !w.generic {
		return fmt.Sprintf("%s.%s%s(%s)", on, verb, name, strings.Join(args, ", "))
	}
	return fmt.Sprintf("%s(%s, %s)", p.wire(verb+name), on, strings.Join(args, ", "))
}

// local returns the first of the names that is not the receiver of s.
func local(s shape, names ...string) string {
	return names[slices.IndexFunc(names, func(n string) bool { return n != s.Recv })]
}
