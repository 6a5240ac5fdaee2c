package store

import (
	"encoding/json"
	"fmt"
)

// hidden stands where a secret would be printed.
const hidden = "[hidden]"

func hide(secret string) string {
	if secret == "" {
		return ""
	}
	return hidden
}

// The same types without methods, for what is left when the secrets are gone.
type (
	openDatabase DatabaseConfig
	openSentinel SentinelConfig
)

// Format prints the configuration without its passwords, whatever the verb.
// Inside an unexported field of another type, package fmt does not ask it.
func (d DatabaseConfig) Format(f fmt.State, verb rune) {
	d.Password = hide(d.Password)
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), openDatabase(d))
}

// MarshalJSON leaves the passwords out: what is written to a log, a page or a
// bug report is a configuration more often than a file to be read again. The
// result can be read, and the passwords then come from elsewhere, such as the
// environment.
func (d DatabaseConfig) MarshalJSON() ([]byte, error) {
	d.Password = ""
	return json.Marshal(openDatabase(d))
}

// MarshalYAML leaves the passwords out, like MarshalJSON.
func (d DatabaseConfig) MarshalYAML() (any, error) {
	d.Password, d.Sentinel.Password = "", ""
	return openDatabase(d), nil
}

// Format prints the configuration without its password, whatever the verb.
func (s SentinelConfig) Format(f fmt.State, verb rune) {
	s.Password = hide(s.Password)
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), openSentinel(s))
}

// MarshalJSON leaves the password out.
func (s SentinelConfig) MarshalJSON() ([]byte, error) {
	s.Password = ""
	return json.Marshal(openSentinel(s))
}

// MarshalYAML leaves the password out, like MarshalJSON.
func (s SentinelConfig) MarshalYAML() (any, error) {
	s.Password = ""
	return openSentinel(s), nil
}
