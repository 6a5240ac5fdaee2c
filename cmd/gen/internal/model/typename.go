package model

var kindNames = func() map[Kind]string {
	m := map[Kind]string{}
	for name, kind := range baseTypes {
		m[kind] = name
	}
	return m
}()

// String is the type as the schema writes it, without the ? of an optional
// field.
func (t Type) String() string {
	switch t.Kind {
	case EnumKind:
		return t.Enum.Name
	case StructKind:
		return t.Struct.Name
	case Reference:
		return t.Table.Name
	case List:
		return "list<" + t.Elem.String() + ">"
	case Map:
		return "map<" + t.Elem.String() + ">"
	}
	return kindNames[t.Kind]
}

// TypeText is the type of the field as the schema writes it.
func (f *Field) TypeText() string {
	if f.Optional {
		return f.Type.String() + "?"
	}
	return f.Type.String()
}
