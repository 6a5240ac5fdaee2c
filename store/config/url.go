package config

import (
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/nacre-store/nacre/store"
)

// URL reads the address of a server as redis-cli -u takes it:
// redis://[user:password@]host[:port][/db], rediss:// for TLS, and
// unix://[user:password@]/path/of/socket[?db=n].
func URL(text string) (store.DatabaseConfig, error) {
	var d store.DatabaseConfig
	u, err := url.Parse(text)
	if err != nil {
		// The error of net/url quotes the text, password and all.
		return d, errors.New("is no URL")
	}
	d.Username = u.User.Username()
	d.Password, _ = u.User.Password()
	db := strings.TrimPrefix(u.Path, "/")
	switch u.Scheme {
	case "redis", "rediss":
		d.SSL = u.Scheme == "rediss"
		d.Host = u.Hostname()
		if port := u.Port(); port != "" {
			if d.Port, err = strconv.Atoi(port); err != nil {
				return d, fmt.Errorf("%q is no port", port)
			}
		}
		if u.RawQuery != "" {
			return d, fmt.Errorf("unknown options %q", u.RawQuery)
		}
	case "unix":
		d.Unix = u.Path
		if db = u.Query().Get("db"); u.RawQuery != "" && u.RawQuery != "db="+db {
			return d, fmt.Errorf("unknown options %q", u.RawQuery)
		}
		if d.Unix == "" || u.Host != "" {
			return d, errors.New("names no socket: want unix:///path")
		}
	default:
		return d, fmt.Errorf("the scheme %q is not redis, rediss or unix", u.Scheme)
	}
	if db != "" {
		if d.DB, err = strconv.Atoi(db); err != nil || d.DB < 0 {
			return d, fmt.Errorf("%q is no database number", db)
		}
	}
	return d, nil
}
