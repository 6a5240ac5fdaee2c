package model

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"
)

// This file writes schema.lock.json: what the stored data of a package looks
// like, in canonical form. Docs, positions, plurals and the order of files are
// not in it, so that a lock changes only when the data or its handling does.

const lockFormat = 1

// A lock is the content of schema.lock.json. The fields stand in the order of
// their JSON names.
type lock struct {
	Allowed []string              `json:"allowed,omitempty"` // Breaking changes that were let through, oldest first.
	Enums   map[string][]string   `json:"enums,omitempty"`   // Sorted: words are stored, not numbers.
	Format  int                   `json:"format"`
	Series  map[string]lockSeries `json:"series,omitempty"`
	Structs map[string]lockStruct `json:"structs,omitempty"`
	Tables  map[string]lockTable  `json:"tables,omitempty"`
}

type lockStruct struct {
	Fields   []lockField `json:"fields"`
	Reserved []string    `json:"reserved,omitempty"`
}

type lockField struct {
	Max  int64  `json:"max,omitempty"`
	Name string `json:"name"`
	Type string `json:"type"`
}

type lockTable struct {
	Collections map[string]lockCollection `json:"collections,omitempty"`
	Indexes     map[string]lockIndex      `json:"indexes,omitempty"`
	KeptBy      []string                  `json:"kept_by,omitempty"`
	Key         []string                  `json:"key"`
	States      *lockStates               `json:"states,omitempty"`
	TTL         string                    `json:"ttl,omitempty"`
	lockStruct
}

type lockCollection struct {
	Capacity int64  `json:"capacity,omitempty"`
	Count    string `json:"count,omitempty"`
	Hash     string `json:"hash,omitempty"`
	ID       string `json:"id,omitempty"`
	List     string `json:"list,omitempty"`
}

type lockIndex struct {
	Field string `json:"field,omitempty"`
	State string `json:"state,omitempty"`
}

type lockStates struct {
	By   string               `json:"by"`
	Sets map[string]lockState `json:"sets"`
}

type lockState struct {
	TTL    string   `json:"ttl,omitempty"`
	Values []string `json:"values"`
}

type lockSeries struct {
	Capacity int64     `json:"capacity"`
	Key      lockField `json:"key"`
	lockStruct
}

// Fingerprint is the fingerprint of a schema that emitted code carries: 16
// hexadecimal digits of the hash of the lock.
func Fingerprint(lock []byte) string {
	sum := sha256.Sum256(lock)
	return hex.EncodeToString(sum[:8])
}

func newLock(p *Package) lock {
	l := lock{
		Format:  lockFormat,
		Enums:   map[string][]string{},
		Structs: map[string]lockStruct{},
		Tables:  map[string]lockTable{},
		Series:  map[string]lockSeries{},
	}
	for _, e := range p.Enums {
		l.Enums[e.Name] = slices.Sorted(slices.Values(e.Values))
	}
	for _, s := range p.Structs {
		l.Structs[s.Name] = newLockStruct(s.Fields, s.Reserved)
	}
	for _, t := range p.Tables {
		l.Tables[t.Name] = newLockTable(t)
	}
	for _, s := range p.Series {
		l.Series[s.Name] = lockSeries{
			Capacity:   s.Capacity,
			Key:        lockField{Name: s.KeyName, Type: s.KeyType.String()},
			lockStruct: newLockStruct(s.Fields, s.Reserved),
		}
	}
	return l
}

func newLockStruct(fields []*Field, reserved []string) lockStruct {
	s := lockStruct{Reserved: slices.Sorted(slices.Values(reserved))}
	for _, f := range fields {
		s.Fields = append(s.Fields, lockField{Max: f.Max, Name: f.Name, Type: f.TypeText()})
	}
	return s
}

func newLockTable(t *Table) lockTable {
	l := lockTable{
		lockStruct:  newLockStruct(t.Fields, t.Reserved),
		Collections: map[string]lockCollection{},
		Indexes:     map[string]lockIndex{},
		TTL:         ttlText(t.TTL),
	}
	for _, f := range t.Key {
		l.Key = append(l.Key, f.Name)
	}
	for _, r := range t.KeptBy {
		l.KeptBy = append(l.KeptBy, r.Table.Name+"."+r.State.Name)
	}
	slices.Sort(l.KeptBy)
	for _, c := range t.Collections {
		l.Collections[c.Name] = newLockCollection(c)
	}
	for _, x := range t.Indexes {
		var i lockIndex
		if x.Field != nil {
			i.Field = x.Field.Name
		}
		if x.State != nil {
			i.State = x.State.Name
		}
		l.Indexes[x.Name] = i
	}
	if t.States != nil {
		l.States = &lockStates{By: t.States.By.Name, Sets: map[string]lockState{}}
		for _, s := range t.States.List {
			l.States.Sets[s.Name] = lockState{TTL: ttlText(s.TTL), Values: slices.Sorted(slices.Values(s.Values))}
		}
	}
	return l
}

func newLockCollection(c *Collection) lockCollection {
	if c.Hash {
		return lockCollection{Hash: c.Struct.Name}
	}
	l := lockCollection{List: c.Struct.Name, ID: c.ID.Name, Capacity: c.Capacity}
	if c.Count != nil {
		l.Count = c.Count.Name
	}
	return l
}

// ttlText writes a ttl as a schema could: "" for none, days from two days on.
func ttlText(d time.Duration) string {
	day := 24 * time.Hour
	switch {
	case d == 0:
		return ""
	case d%day == 0 && d >= 2*day:
		return fmt.Sprintf("%dd", d/day)
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

// lineWidth is the length up to which an object or array without others inside
// stands on one line.
const lineWidth = 110

// bytes is the canonical text: sorted keys, two spaces, one line for what
// holds only words and fits.
func (l lock) bytes() []byte {
	plain, err := json.Marshal(l)
	var tree any
	if err == nil {
		d := json.NewDecoder(bytes.NewReader(plain))
		d.UseNumber()
		err = d.Decode(&tree)
	}
	if err != nil {
		panic(err) // Strings, numbers, lists and maps always marshal.
	}
	var b strings.Builder
	writeJSON(&b, tree, "")
	b.WriteByte('\n')
	return []byte(b.String())
}

func writeJSON(b *strings.Builder, v any, indent string) {
	var open, end string
	var parts []string
	var values []any
	switch v := v.(type) {
	case map[string]any:
		open, end = "{", "}"
		for _, k := range sortedKeys(v) {
			parts = append(parts, quoteJSON(k)+": ")
			values = append(values, v[k])
		}
	case []any:
		open, end = "[", "]"
		parts, values = make([]string, len(v)), v
	case string:
		b.WriteString(quoteJSON(v))
		return
	default:
		fmt.Fprint(b, v)
		return
	}
	if line := oneLine(open, end, parts, values); line != "" && len(indent)+len(line) <= lineWidth && indent != "" {
		b.WriteString(line)
		return
	}
	b.WriteString(open)
	for i, part := range parts {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteString("\n" + indent + "  " + part)
		writeJSON(b, values[i], indent+"  ")
	}
	b.WriteString("\n" + indent + end)
}

// oneLine is "" for what holds other objects or arrays.
func oneLine(open, end string, parts []string, values []any) string {
	var b strings.Builder
	b.WriteString(open)
	for i, v := range values {
		switch v.(type) {
		case map[string]any, []any:
			return ""
		}
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteString(parts[i])
		writeJSON(&b, v, "")
	}
	b.WriteString(end)
	return b.String()
}

func quoteJSON(s string) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(s); err != nil {
		panic(err) // A string always encodes.
	}
	return strings.TrimSuffix(b.String(), "\n")
}
