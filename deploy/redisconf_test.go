package deploy_test

import (
	"strings"
	"testing"

	"github.com/nacre-store/nacre/store/storetest"
)

// TestRedisConf reads from a server of the tests, which all run with redis.conf,
// the settings on which the safety of the data rests.
func TestRedisConf(t *testing.T) {
	s := storetest.Run(t, storetest.ServerOptions{})
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
		if _, got, _ := strings.Cut(do(t, s, "CONFIG", "GET", name), "\n"); !strings.HasPrefix(got, want) {
			t.Errorf("%s = %q, want %q", name, got, want)
		}
	}

	// What the file promises about persistence: a killed server comes back with it.
	do(t, s, "CONFIG", "SET", "appendfsync", "always")
	do(t, s, "SET", "k", "v")
	s.Kill()
	if err := s.Restart(); err != nil {
		t.Fatal(err)
	}
	if got := do(t, s, "GET", "k"); got != "v" {
		t.Errorf("after a kill: %q", got)
	}
}
