package wire

// The Take functions read one field; key is that of the Put function. A value
// that does not change is not touched, so that a row read again into the same
// variable allocates nothing.

// TakeString reads a required string, enum or id.
func TakeString[T ~string](r *Reader, key string, v *T) {
	if s, changed := r.takeStr(key, string(*v), MaxString); changed {
		*v = T(s)
	}
}

// TakeStringMax is [TakeString] for a field with a max of its own.
func TakeStringMax[T ~string](r *Reader, key string, v *T, max int) {
	if s, changed := r.takeStr(key, string(*v), max); changed {
		*v = T(s)
	}
}

// TakeOptString reads an optional string, enum or id; "" is absent.
func TakeOptString[T ~string](r *Reader, key string, v *T) {
	if r.near(key) || *v != "" {
		takeOptString(r, key, v, MaxString)
	}
}

// TakeOptStringMax is [TakeOptString] for a field with a max of its own.
func TakeOptStringMax[T ~string](r *Reader, key string, v *T, max int) {
	takeOptString(r, key, v, max)
}

func takeOptString[T ~string](r *Reader, key string, v *T, max int) {
	if s, changed := r.takeOptStr(key, string(*v), max); changed {
		*v = T(s)
	}
}

func (r *Reader) takeOptStr(key, old string, max int) (string, bool) {
	if !r.isNext(key) {
		if !r.odd || !r.oddOpt(key) {
			return "", old != "" && !r.bad
		}
	} else if !r.present(key) {
		return "", false
	}
	s, changed := r.takeStr("", old, max)
	if s == "" && (changed || old == "") {
		r.fail()
	}
	return s, changed
}

// TakeEnum reads a required enum.
func TakeEnum[T ~string](r *Reader, key string, v *T) {
	if s, changed := r.takeEnum(key, string(*v)); changed {
		*v = T(s)
	}
}

// TakeOptEnum reads an optional enum; "" is absent.
func TakeOptEnum[T ~string](r *Reader, key string, v *T) {
	if r.near(key) || *v != "" {
		takeOptEnum(r, key, v)
	}
}

func takeOptEnum[T ~string](r *Reader, key string, v *T) {
	if s, changed := r.takeOptEnum(key, string(*v)); changed {
		*v = T(s)
	}
}

func (r *Reader) takeEnum(key, old string) (string, bool) {
	if r.isNext(key) {
		r.i += len(key)
	} else if !r.other(key) {
		return "", false
	}
	return r.enum(old)
}

func (r *Reader) takeOptEnum(key, old string) (string, bool) {
	if !r.isNext(key) {
		if !r.odd || !r.oddOpt(key) {
			return "", old != "" && !r.bad
		}
	} else if !r.present(key) {
		return "", false
	}
	s, changed := r.enum(old)
	if s == "" && (changed || old == "") {
		r.fail()
	}
	return s, changed
}

// enum is str for words of enums.
func (r *Reader) enum(old string) (string, bool) {
	s, ok := r.strAt(MaxString)
	if !ok {
		r.miss(kindString, MaxString)
		return "", false
	}
	if sameWords(s, 0, len(s), old) {
		return "", false
	}
	word, ok := enum(s)
	if !ok {
		r.fail()
	}
	return word, ok && word != old
}

// TakeBytes reads a bytes field.
func (r *Reader) TakeBytes(key string, v *[]byte, p Presence, max int) {
	if !r.begin(key, p) {
		if !r.bad {
			*v = nil
		}
		return
	}
	r.takeBytes(v, max)
	if p == Optional && len(*v) == 0 {
		r.fail()
	}
}

func (r *Reader) takeBytes(v *[]byte, max int) {
	b, i, n := r.b, r.i, -1
	switch {
	case i+1 < len(b) && b[i] == 0xc4:
		n = int(b[i+1])
		i += 2
	case i+2 < len(b) && b[i] == 0xc5 && b[i+1] != 0:
		n = int(b[i+1])<<8 | int(b[i+2])
		i += 3
	case i+4 < len(b) && b[i] == 0xc6:
		if u := be.Uint32(b[i+1:]); u >= 1<<16 && u <= MaxMessage {
			n = int(u)
		}
		i += 5
	}
	if n < 0 || n > max || n > len(b)-i {
		r.miss(kindBytes, max)
		return
	}
	r.i = i + n
	if n == 0 {
		*v = nil
		return
	}
	*v = append((*v)[:0], b[i:i+n]...)
}
