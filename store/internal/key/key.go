// Package key names everything that the store keeps in Redis.
//
//	key    = ns "-" type [ "." part ] [ ":" id ]
//	ns     = prefix [ "-" trader ] [ "@" instance ]       tagged: "{" ns "}"
//	prefix = [A-Za-z0-9_]+
//	trader, instance = any text, bytes outside [A-Za-z0-9_-] as %XX
//	type, part       = [a-z][a-z0-9_]*
//	id     = 1 to 1024 bytes without control characters
//
// The grammar is injective: [Parse] is the inverse of building, so no two
// names share a key and no tenant can reach another one's rows. The type ends
// at the first "." or ":" and starts behind the last "-" before it; neither
// sign can occur earlier, because trader and instance escape both.
package key

import (
	"errors"
	"fmt"
	"strings"
)

// MaxID is the longest id in bytes.
const MaxID = 1024

// A Namespace is the part of every key that belongs to one tenant.
type Namespace struct {
	prefix, trader, instance string
	text                     string // as it stands in tagged keys, braces included
	plain                    string // without braces, for series
}

// New returns the namespace of a trader's instance. Empty trader or instance
// means that the key does not have that component. With tag set, all keys but
// those of series carry the namespace as a Redis Cluster hash tag, so that one
// tenant is one slot.
func New(prefix, trader, instance string, tag bool) (Namespace, error) {
	if prefix == "" {
		return Namespace{}, errors.New("prefix is empty")
	}
	for i := range len(prefix) {
		if c := prefix[i]; !word(c) {
			return Namespace{}, fmt.Errorf("prefix %q: byte %q is not one of A-Z a-z 0-9 _", prefix, c)
		}
	}
	n := Namespace{prefix: prefix, trader: trader, instance: instance, plain: prefix}
	if trader != "" {
		n.plain += "-" + escape(trader)
	}
	if instance != "" {
		n.plain += "@" + escape(instance)
	}
	n.text = n.plain
	if tag {
		n.text = "{" + n.plain + "}"
	}
	return n, nil
}

// String returns the namespace as it starts the tenant's keys.
func (n Namespace) String() string { return n.text }

// Base returns what starts every key of the type or, with a part, of that part
// of it: the id follows directly.
func (n Namespace) Base(typ, part string) string { return n.Name(typ, part) + ":" }

// Name returns the key of a thing without an id, such as the list of all ids.
func (n Namespace) Name(typ, part string) string { return name(n.text, typ, part) }

// Append appends what Name returns, and what Base returns before an id that is
// not empty with that id.
func (n *Namespace) Append(b []byte, typ, part, id string) []byte {
	b = append(append(append(b, n.text...), '-'), typ...)
	if part != "" {
		b = append(append(b, '.'), part...)
	}
	if id != "" {
		b = append(append(b, ':'), id...)
	}
	return b
}

// Series returns what starts every key of a series. Series are never tagged:
// they take no part in commits and spread over a cluster.
func (n Namespace) Series(typ string) string { return name(n.plain, typ, "") + ":" }

// Pattern returns the SCAN pattern that finds at least the keys of this
// tenant. Others may match as well, so what it finds must pass [Namespace.Owns].
func (n Namespace) Patterns() []string {
	ps := []string{glob(n.plain) + "-*"}
	if n.text != n.plain {
		ps = append(ps, glob(n.text)+"-*")
	}
	return ps
}

// PatternOf returns the SCAN pattern that finds at least the keys of the type
// that are not those of a series, and their parts.
func (n Namespace) PatternOf(typ string) string { return glob(n.text) + "-" + typ + "[.:]*" }

// Owns tells whether the key is one of this tenant.
func (n Namespace) Owns(key string) bool {
	p, err := Parse(key)
	return err == nil && p.Prefix == n.prefix && p.Trader == n.trader && p.Instance == n.instance
}

// A Parsed key is its name taken apart again.
type Parsed struct {
	Prefix, Trader, Instance string
	Type, Part, ID           string // Part and ID are empty where the key has none.
	Tagged                   bool
}

// Parse is the inverse of building a key.
func Parse(key string) (Parsed, error) {
	var p Parsed
	head := key
	rest := ""
	if strings.HasPrefix(key, "{") {
		end := strings.IndexByte(key, '}')
		if end < 0 || end+1 >= len(key) || key[end+1] != '-' {
			return p, fmt.Errorf("key %q: no hash tag before the type", key)
		}
		p.Tagged = true
		head, rest = key[1:end], key[end+2:]
		if strings.ContainsAny(head, ".:") {
			return p, fmt.Errorf("key %q: bad namespace", key)
		}
	} else {
		end := strings.IndexAny(key, ".:")
		if end < 0 {
			return p, fmt.Errorf("key %q: no type", key)
		}
		dash := strings.LastIndexByte(key[:end], '-')
		if dash < 0 {
			return p, fmt.Errorf("key %q: no namespace", key)
		}
		head, rest = key[:dash], key[dash+1:]
	}
	var hasID bool
	name, id, hasID := strings.Cut(rest, ":")
	typ, part, hasPart := strings.Cut(name, ".")
	if !lower(typ) || hasPart && !lower(part) || !hasPart && !hasID {
		return p, fmt.Errorf("key %q: bad type or part", key)
	}
	if hasID {
		if err := CheckID(id); err != nil {
			return p, fmt.Errorf("key %q: %w", key, err)
		}
	}
	p.Type, p.Part, p.ID = typ, part, id
	tenant, instance, hasInstance := strings.Cut(head, "@")
	prefix, trader, hasTrader := strings.Cut(tenant, "-")
	var err1, err2 error
	p.Prefix = prefix
	p.Trader, err1 = unescape(trader)
	p.Instance, err2 = unescape(instance)
	if err := errors.Join(err1, err2); err != nil || prefix == "" || strings.Trim(prefix, wordBytes) != "" ||
		hasTrader != (p.Trader != "") || hasInstance != (p.Instance != "") {
		return Parsed{}, fmt.Errorf("key %q: bad namespace", key)
	}
	return p, nil
}

// CheckID says what is wrong with an id or with an indexed value.
func CheckID(id string) error {
	if id == "" {
		return errors.New("id is empty")
	}
	if len(id) > MaxID {
		return fmt.Errorf("id has %d bytes, at most %d are allowed", len(id), MaxID)
	}
	for i := range len(id) {
		if c := id[i]; c < ' ' || c == 0x7f {
			return fmt.Errorf("id %q has a control character at byte %d", id, i)
		}
	}
	return nil
}

func name(ns, typ, part string) string {
	if part == "" {
		return ns + "-" + typ
	}
	return ns + "-" + typ + "." + part
}

const wordBytes = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"

func word(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_'
}

func lower(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !(c >= 'a' && c <= 'z' || i > 0 && (c >= '0' && c <= '9' || c == '_')) {
			return false
		}
	}
	return s != ""
}

const hex = "0123456789ABCDEF"

func escape(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if c := s[i]; word(c) || c == '-' {
			b.WriteByte(c)
		} else {
			b.WriteByte('%')
			b.WriteByte(hex[c>>4])
			b.WriteByte(hex[c&15])
		}
	}
	return b.String()
}

// unescape accepts only what escape writes, so that one name has one key.
func unescape(s string) (string, error) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if word(c) || c == '-' {
			b.WriteByte(c)
			continue
		}
		if c != '%' || i+2 >= len(s) {
			return "", fmt.Errorf("bad escape in %q", s)
		}
		hi, lo := strings.IndexByte(hex, s[i+1]), strings.IndexByte(hex, s[i+2])
		if hi < 0 || lo < 0 || word(byte(hi<<4|lo)) || byte(hi<<4|lo) == '-' {
			return "", fmt.Errorf("bad escape in %q", s)
		}
		b.WriteByte(byte(hi<<4 | lo))
		i += 2
	}
	return b.String(), nil
}

// glob escapes what SCAN would read as a pattern.
func glob(s string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`, `]`, `\]`).Replace(s)
}
