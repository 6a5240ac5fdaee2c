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
	var b strings.Builder
	b.Grow(n)
	for i, p := range parts {
		if i > 0 {
			b.WriteByte(':')
		}
		for {
			j := strings.IndexAny(p, "%:")
			if j < 0 {
				break
			}
			b.WriteString(p[:j])
			if p[j] == '%' {
				b.WriteString("%25")
			} else {
				b.WriteString("%3A")
			}
			p = p[j+1:]
		}
		b.WriteString(p)
	}
	return b.String()
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
