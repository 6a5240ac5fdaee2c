package deploy_test

import (
	"path/filepath"
	"strings"
	"testing"
)

func TestMakeJQ(t *testing.T) {
	const jq = "echo jq-1.7"
	// installs is a package manager that brings jq.
	installs := func(m *machine) string {
		pkg := filepath.Join(m.repo, "package")
		m.write(pkg, "#!/bin/sh\n"+jq+"\n")
		return "case \"$*\" in *install*) cp " + pkg + " " + filepath.Join(m.path, "jq") + ";; esac"
	}
	for name, tc := range map[string]struct {
		given     func(*machine)
		out, call string
		ok        bool
	}{
		"on PATH":      {func(m *machine) { m.has("jq", jq); m.has("apt-get", "exit 1") }, "/jq (jq-1.7)", "jq --version", true},
		"apt-get":      {func(m *machine) { m.hasSudo(); m.has("apt-get", installs(m)) }, "/jq (jq-1.7)", "apt-get install -y --no-install-recommends jq", true},
		"apt-get down": {func(m *machine) { m.hasSudo(); m.has("apt-get", "echo no network; exit 100") }, "apt-get failed: no network", "apt-get update", false},
		"brew":         {func(m *machine) { m.has("brew", installs(m)) }, "/jq (jq-1.7)", "brew install jq", true},
		"nothing":      {func(*machine) {}, "no apt-get or brew", "", false},
	} {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t)
			tc.given(m)
			out, _, calls, ok := m.run("jq.sh")
			if ok != tc.ok || !strings.Contains(out, tc.out) || !strings.Contains(calls, tc.call) {
				t.Errorf("ok = %v, printed %q, called %q; want %v, %q, %q", ok, out, calls, tc.ok, tc.out, tc.call)
			}
		})
	}
}
