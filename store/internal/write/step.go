package write

import "strconv"

// Commands of the apply script that are none of Redis.
const (
	// keptSet stores a row which others may keep: without expiry while they do.
	// Whoever is first, row or reference, the row is safe. Its keys are the row
	// and the set of its keepers.
	keptSet = "KEPT"
	// appendList appends what is new of an append, whose list and seen are its
	// keys. Its arguments are the number of the append and how many commands
	// about its row follow.
	appendList = "APPEND"
	// ttlOf gives its first key the expiry of the second one.
	ttlOf = "TTLOF"
)

// A step is what the apply script takes: see there. The slices are used again,
// as the connection copies them.
type step struct {
	keys, argv []string
	count      int // commands
	last       int // place of the last command in argv, where another key may join it; or 0
	joined     int // its keys
	arena
}

func (s *step) reset() {
	clear(s.keys)
	clear(s.argv)
	s.keys, s.argv, s.count, s.last = s.keys[:0], s.argv[:0], 0, 0
}

func (s *step) put(args ...string) { s.argv = append(s.argv, args...) }

// add adds a command on one key. What is done with several keys one after
// another becomes one command.
func (s *step) add(name, key string, args ...string) {
	if at := s.last; at > 0 && s.joins(name, args) {
		s.joined++
		s.argv[at] = strconv.Itoa(s.joined)
		s.keys = append(s.keys, key)
		return
	}
	at := len(s.argv)
	s.on(name, args, key)
	s.last, s.joined = at, 1
}

// joins tells whether the last command is the same but for its keys.
func (s *step) joins(name string, args []string) bool {
	of := s.argv[s.last+2:]
	if of[0] != name || len(of)-1 != len(args) {
		return false
	}
	for i := range args {
		if of[1+i] != args[i] {
			return false
		}
	}
	return true
}

// on adds a command on its own keys, which no other one joins.
func (s *step) on(name string, args []string, keys ...string) {
	s.count++
	s.last = 0
	s.keys = append(s.keys, keys...)
	s.put(strconv.Itoa(len(keys)), strconv.Itoa(len(args)), name)
	s.put(args...)
}

// each calls f for every command of a step without checks and appends, and for
// each of its keys.
func (s *step) each(f func(name, key string, args []string)) {
	keys := s.keys
	for rest := s.argv[2:]; len(rest) > 0; {
		nk, _ := strconv.Atoi(rest[0])
		na, _ := strconv.Atoi(rest[1])
		for _, k := range keys[:nk] {
			f(rest[2], k, rest[3:3+na])
		}
		keys, rest = keys[nk:], rest[3+na:]
	}
}

// fill makes the step of the ops, if the checks hold.
func (s *step) fill(ops []Op, checks []Check) error {
	s.reset()
	guards, err := existing(ops)
	if err != nil {
		return err
	}
	s.put(strconv.Itoa(len(guards) + len(checks)))
	for _, cs := range [][]Check{guards, checks} {
		for _, c := range cs {
			s.keys = append(s.keys, c.key)
			s.put(c.kind, c.a, c.b)
		}
	}
	s.appends(ops)
	n := 0
	for i := range ops {
		o := &ops[i]
		s.last = 0
		if o.Kind != Append || len(o.Elems) == 0 {
			o.commands(s)
			continue
		}
		n++ // before the row, whose commands carry the TTL over
		s.on(appendList, []string{strconv.Itoa(n), ""}, s.part(o, o.Part), s.part(o, Seen(o.Part)))
		about, before := len(s.argv)-1, s.count
		o.commands(s)
		s.argv[about] = strconv.Itoa(s.count - before)
	}
	return nil
}

// appends adds the elements of the ops, which the script looks at before it
// writes anything.
func (s *step) appends(ops []Op) {
	n, head := 0, len(s.argv)
	s.put("")
	for i := range ops {
		o := &ops[i]
		if o.Kind != Append || len(o.Elems) == 0 {
			continue
		}
		n++
		list := s.part(o, o.Part)
		s.keys = append(s.keys, list, s.part(o, Seen(o.Part)), o.RowKey())
		s.put(s.int(o.Capacity), s.int(o.Count), emptied(ops[:i], list), strconv.Itoa(len(o.Elems)))
		for _, e := range o.Elems {
			s.put(e.ID, text(e.Value))
		}
	}
	s.argv[head] = strconv.Itoa(n)
}
