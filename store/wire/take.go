package wire

// The Take functions read one field; key is that of the Put function. A value
// that does not change is not touched, so that a row read again into the same
// variable allocates nothing.

// TakeString reads a required string, enum or id.
func (r *Reader) TakeString(key string, v *string) { r.TakeStringMax(key, v, MaxString) }

// TakeStringMax is [Reader.TakeString] for a field with a max of its own.
func (r *Reader) TakeStringMax(key string, v *string, max int) {
	if r.isNext(key) {
		r.i += len(key)
	} else if !r.other(key) {
		return
	}
	if !r.same(*v) {
		r.setStr(v, max)
	}
}

// TakeOptString reads an optional string, enum or id; "" is absent.
func (r *Reader) TakeOptString(key string, v *string) {
	if r.near(key) || *v != "" {
		r.TakeOptStringMax(key, v, MaxString)
	}
}

// TakeOptStringMax is [Reader.TakeOptString] for a field with a max of its own.
func (r *Reader) TakeOptStringMax(key string, v *string, max int) {
	if r.isNext(key) {
		r.present(key)
	} else if !r.oddOpt(key) {
		r.clear(v)
		return
	}
	if *v == "" || !r.same(*v) {
		r.setStr(v, max)
		r.notEmpty(*v)
	}
}

// clear empties an optional string that is absent.
func (r *Reader) clear(v *string) {
	if !r.bad && *v != "" {
		*v = ""
	}
}

// notEmpty ends the pass at an optional string that is present and empty.
func (r *Reader) notEmpty(v string) {
	if v == "" {
		r.fail()
	}
}

// TakeEnum reads a required enum.
func (r *Reader) TakeEnum(key string, v *string) {
	if r.isNext(key) {
		r.i += len(key)
	} else if !r.other(key) {
		return
	}
	if !r.same(*v) {
		r.setEnum(v)
	}
}

// TakeOptEnum reads an optional enum; "" is absent.
func (r *Reader) TakeOptEnum(key string, v *string) {
	if r.near(key) || *v != "" {
		r.optEnum(key, v)
	}
}

func (r *Reader) optEnum(key string, v *string) {
	if r.isNext(key) {
		r.present(key)
	} else if !r.oddOpt(key) {
		r.clear(v)
		return
	}
	if *v == "" || !r.same(*v) {
		r.setEnum(v)
		r.notEmpty(*v)
	}
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
