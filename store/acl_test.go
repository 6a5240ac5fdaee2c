package store_test

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
)

const aclPassword = "change-this-password"

// aclServer runs with the rules of deploy/users.acl. Beside the user of the
// file it has one for the test.
func aclServer(t *testing.T) (*redistest.Server, string) {
	t.Helper()
	rules, err := os.ReadFile("../deploy/users.acl")
	must(t, err)
	users := strings.Split(strings.TrimSpace(string(rules)), "\n")
	if len(users) != 2 || users[0] != "user default off" {
		t.Fatalf("users of deploy/users.acl: %q", users)
	}
	file := filepath.Join(t.TempDir(), "users.acl")
	must(t, os.WriteFile(file, []byte("user default on nopass ~* &* +@all\n"+users[1]+"\n"), 0o600))
	return redistest.New(t, "--aclfile", file), users[1]
}

// aclRun does everything under the rules of the user and returns what went
// wrong, which includes what the server denied unseen.
func aclRun(t *testing.T, srv *redistest.Server, change func(*store.Config)) error {
	t.Helper()
	for _, cmd := range [][]string{{"FLUSHALL"}, {"ACL", "LOG", "RESET"}} {
		if _, err := srv.Do(cmd...); err != nil {
			t.Fatal(err)
		}
	}
	cfg := with(at(srv.Port()), func(c *store.Config) {
		c.Database.Username, c.Database.Password = "nacre", aclPassword
		c.Schemas, c.Logger = []store.Schema{trading.Schema}, slog.New(slog.DiscardHandler)
		change(c)
	})
	s, err := store.Open(t.Context(), cfg)
	if err != nil {
		return err
	}
	defer closeStore(s)
	ns := "trader"
	if cfg.TraderID != "" {
		ns += "-" + cfg.TraderID
	}
	if cfg.HashTag {
		ns = "{" + ns + "}"
	}
	failed := (&workout{Store: s, ns: ns, raw: srv.Do}).run(t.Context())
	// The connection that is lost is killed by the next one.
	if _, err := srv.Do("CLIENT", "KILL", "USER", "nacre"); err != nil {
		t.Fatal(err)
	}
	_, err = trading.New(s).Positions.Count(t.Context())
	failed = errors.Join(failed, err)
	log, err := srv.Do("ACL", "LOG")
	must(t, err)
	if log != "" {
		return fmt.Errorf("denied: %s\n%w", strings.Join(strings.Split(log, "\n")[:8], " "), failed)
	}
	return failed
}

// Everything works under the rules of deploy/users.acl, and each of them is
// needed.
func TestACL(t *testing.T) {
	t.Parallel()
	srv, user := aclServer(t)
	for name, change := range map[string]func(*store.Config){
		"standalone": func(*store.Config) {}, "trader": func(c *store.Config) { c.TraderID = "T-1" },
		"buffered": buffered, "buffered trader": func(c *store.Config) { buffered(c); c.TraderID = "T-1" },
		"tagged": func(c *store.Config) { c.HashTag = true }, "tagged trader": func(c *store.Config) { c.HashTag, c.TraderID = true, "T-1" },
	} {
		if err := aclRun(t, srv, change); err != nil {
			t.Fatalf("%s: under the rules of deploy/users.acl: %v", name, err)
		}
	}
	_, err := store.Open(t.Context(), with(at(srv.Port()), func(c *store.Config) {
		c.Database.Username, c.Database.Password = "nacre", "wrong-secret"
	}))
	if !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "WRONGPASS") || strings.Contains(err.Error(), "secret") {
		t.Errorf("a wrong password: %v", err)
	}
	for _, rule := range strings.Fields(user) {
		name, ok := strings.CutPrefix(rule, "+")
		if !ok || rule == "+ping" { // which an idle connection sends, and does without
			continue
		}
		t.Run(rule, func(t *testing.T) {
			_, err := srv.Do("ACL", "SETUSER", "nacre", "-"+name)
			must(t, err)
			defer func() {
				_, err := srv.Do("ACL", "SETUSER", "nacre", rule)
				must(t, err)
			}()
			err = aclRun(t, srv, func(*store.Config) {})
			if err == nil {
				t.Fatal("nothing needs it")
			}
			for _, says := range []string{"NOPERM", "can't run", "denied"} {
				if strings.Contains(err.Error(), says) {
					return
				}
			}
			t.Errorf("not because of the missing right: %v", err)
		})
	}
}

// The rules of one trader name the types: a pattern of the trader alone would
// let in the traders whose names go on behind a dash.
func TestACLOfOneTrader(t *testing.T) {
	srv, user := aclServer(t)
	var rules []string
	for _, rule := range strings.Fields(user)[2:] {
		if !strings.HasPrefix(rule, "~") {
			rules = append(rules, rule)
		}
	}
	names := []string{"nacre"} // the store's own keys
	for _, table := range trading.Schema.Tables {
		names = append(names, store.NameOf(table))
	}
	for _, name := range names {
		rules = append(rules, "~trader-001-"+name+":*", "~trader-001-"+name+".*")
	}
	_, err := srv.Do(append([]string{"ACL", "SETUSER", "nacre", "reset"}, rules...)...)
	must(t, err)
	if err := aclRun(t, srv, func(c *store.Config) { c.TraderID = "001" }); err != nil {
		t.Errorf("the trader itself: %v", err)
	}
	user001 := func(c *store.Config) { c.Database.Username, c.Database.Password = "nacre", aclPassword }
	openOn(t, srv, user001, func(c *store.Config) { c.TraderID = "001" })
	other := openOn(t, srv, user001, func(c *store.Config) { c.TraderID = "001-abc" })
	for what, err := range map[string]error{
		"put":  other.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)),
		"get":  func() error { _, err := other.Positions.Get(t.Context(), "P-1"); return err }(),
		"tick": other.QuoteTicks.Append(t.Context(), "X.Y", trading.QuoteTick{}),
	} {
		if !errors.Is(err, store.ErrRefused) || !strings.Contains(err.Error(), "NOPERM") {
			t.Errorf("%s of another trader: %v", what, err)
		}
	}
}
