package wire

import (
	"fmt"
	"strings"
)

// JoinID returns the text of a composite id: its parts joined by ":", with
// % and : inside of a part as %25 and %3A. No two lists of parts share a text.
func JoinID(parts ...string) string {
	n := len(parts)
	for _, p := range parts {
		n += len(p)
	}
	b := make([]byte, 0, n)
	for i, p := range parts {
		if i > 0 {
			b = append(b, ':')
		}
		b = AppendPart(b, p)
	}
	return string(b)
}

// AppendPart appends a part of a composite id as [JoinID] spells it.
func AppendPart(b []byte, part string) []byte {
	for {
		j := strings.IndexAny(part, "%:")
		if j < 0 {
			return append(b, part...)
		}
		b = append(b, part[:j]...)
		if part[j] == '%' {
			b = append(b, "%25"...)
		} else {
			b = append(b, "%3A"...)
		}
		part = part[j+1:]
	}
}

// SplitID is the inverse of [JoinID] for n parts. It accepts nothing that
// JoinID does not write.
func SplitID(s string, n int) ([]string, error) {
	parts := strings.Split(s, ":")
	if len(parts) != n {
		return nil, fmt.Errorf("%w: %d parts instead of %d", ErrID, len(parts), n)
	}
	for i, p := range parts {
		for rest := p; ; {
			j := strings.IndexByte(rest, '%')
			if j < 0 {
				break
			}
			rest = rest[j+1:]
			if !strings.HasPrefix(rest, "25") && !strings.HasPrefix(rest, "3A") {
				return nil, fmt.Errorf("%w: %% is only allowed in %%25 and %%3A", ErrID)
			}
		}
		parts[i] = strings.ReplaceAll(strings.ReplaceAll(p, "%3A", ":"), "%25", "%")
	}
	return parts, nil
}
