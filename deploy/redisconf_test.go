package deploy

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/nacre-store/nacre/store/storetest"
)

// TestRedisConf starts a server with redis.conf and reads back the settings on
// which the safety of the data rests.
func TestRedisConf(t *testing.T) {
	conf, err := filepath.Abs("redis.conf")
	if err != nil {
		t.Fatal(err)
	}
	s := storetest.Run(t, storetest.ServerOptions{Config: conf})
	for name, want := range map[string]string{
		"maxmemory-policy":            "noeviction",
		"appendonly":                  "yes",
		"appendfsync":                 "everysec",
		"no-appendfsync-on-rewrite":   "no",
		"save":                        "3600 1 300 100 60 10000",
		"stop-writes-on-bgsave-error": "yes",
		"client-output-buffer-limit":  "normal 268435456 67108864 60 ",
		"tcp-keepalive":               "60",
		"timeout":                     "0",
	} {
		got, err := s.Do("CONFIG", "GET", name)
		if err != nil {
			t.Fatal(err)
		}
		if _, got, _ = strings.Cut(got, "\n"); !strings.HasPrefix(got, want) {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}

	// What the file promises about persistence: a killed server comes back with it.
	if _, err := s.Do("CONFIG", "SET", "appendfsync", "always"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Do("SET", "k", "v"); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Do("GET", "k"); err != nil || got != "v" {
		t.Errorf("after a kill: %q, %v", got, err)
	}
}
