package model

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nacre-store/nacre/cmd/gen/internal/source"
)

// This file checks what decides how long a row lives: ttl, states and kept_by.

var ttlForm = regexp.MustCompile(`^([1-9][0-9]*)([smhd])$`)

// ttl is 0 for none and for what is not given.
func (c *checker) ttl(subject string, t source.Text) time.Duration {
	if !t.Given() || t.Value == "none" {
		return 0
	}
	m := ttlForm.FindStringSubmatch(t.Value)
	if m == nil {
		c.errs.Addf(t.Pos, subject, "bad ttl %q (want a time such as 90s, 15m, 24h or 7d, or none)", t.Value)
		return 0
	}
	n, err := strconv.ParseInt(m[1], 10, 64)
	unit := map[string]time.Duration{"s": time.Second, "m": time.Minute, "h": time.Hour, "d": 24 * time.Hour}[m[2]]
	if err != nil || n > int64(1<<63-1)/int64(unit) {
		c.errs.Addf(t.Pos, subject, "ttl %s is longer than 292 years (want none)", t.Value)
		return 0
	}
	return time.Duration(n) * unit
}

// states checks that the states divide the values of the enum: each value is
// in exactly one.
func (c *checker) states(t *Table, s *source.States) *States {
	out := &States{By: c.field("states", s.By, t.Fields)}
	var enum *Enum
	if f := out.By; f != nil {
		enum = f.Type.Enum
		switch {
		case f.Type.Kind != EnumKind:
			c.errs.Addf(s.By.Pos, "states", "the field %q is a %s (want an enum)", f.Name, f.Type)
			enum = nil
		case f.Optional:
			c.errs.Addf(s.By.Pos, "states", "the field %q is optional (a row without a value would be in no state)", f.Name)
		}
	}
	owner := map[string]source.Text{}
	exact := enum != nil
	for _, state := range s.List {
		subject := fmt.Sprintf("state %q", state.Name.Value)
		out.List = append(out.List, &State{
			Name: state.Name.Value, Doc: state.Doc, Values: values(state.Values),
			TTL: c.ttl(subject, state.TTL), Pos: state.Name.Pos,
		})
		exact = exact && len(state.Values) > 0
		for _, v := range state.Values {
			if first, twice := owner[v.Value]; twice {
				c.errs.Addf(v.Pos, subject, "%s is already in the state at %d:%d", v.Value, first.Pos.Line, first.Pos.Column)
				continue
			}
			owner[v.Value] = v
			if enum != nil && !slices.Contains(enum.Values, v.Value) {
				exact = false
				c.errs.Addf(v.Pos, subject, "%s has no value %q%s", enum.Name, v.Value, source.DidYouMean(v.Value, enum.Values))
			}
		}
	}
	if len(s.List) == 0 {
		c.errs.Addf(s.Pos, "states", "no state")
		return out
	}
	for i := 0; exact && i < len(enum.Values); i++ {
		if _, ok := owner[enum.Values[i]]; !ok {
			c.errs.Addf(s.Pos, "states", "%s %s has no state", enum.Name, enum.Values[i])
		}
	}
	return out
}

// state finds a state of a table by name.
func (c *checker) state(subject string, at source.Text, name string, t *Table) *State {
	if t.States == nil {
		c.errs.Addf(at.Pos, subject, "the table %q has no states", t.Name)
		return nil
	}
	names := make([]string, len(t.States.List))
	for i, s := range t.States.List {
		if names[i] = s.Name; s.Name == name {
			return s
		}
	}
	c.errs.Addf(at.Pos, subject, "the table %q has no state %q%s", t.Name, name, source.DidYouMean(name, names))
	return nil
}

// keptBy checks the states that keep a row of t and enters the holds on the
// tables that have these states.
func (c *checker) keptBy(t *Table, s *source.Table) {
	for _, text := range s.KeptBy {
		tableName, stateName, _ := strings.Cut(text.Value, ".")
		by := c.tables[tableName]
		if by == nil {
			if !c.schema.Broken {
				c.errs.Addf(text.Pos, "kept_by", "no table %q%s", tableName, source.DidYouMean(tableName, sortedKeys(c.tables)))
			}
			continue
		}
		state := c.state("kept_by", text, stateName, by)
		if state == nil {
			continue
		}
		found := false
		for _, f := range by.Fields {
			found = found || c.broken[f]
			if f.Type.Kind == Reference && f.Type.Table == t {
				found = true
				by.Holds = append(by.Holds, Hold{State: state, Field: f, Table: t})
			}
		}
		if !found {
			c.errs.Addf(text.Pos, "kept_by", "no field of the table %q refers to %q (want one of the type %s)", by.Name, t.Name, t.Name)
			continue
		}
		t.KeptBy = append(t.KeptBy, StateRef{Table: by, State: state})
	}
}
