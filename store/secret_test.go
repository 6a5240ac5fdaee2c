package store_test

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/goccy/go-yaml"

	"github.com/nacre-store/nacre/gen/trading"
	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/internal/redistest"
	"github.com/nacre-store/nacre/store/internal/testcert"
)

// secrets are the passwords of a test, none of which may be seen anywhere.
type secrets []string

func (s secrets) check(t *testing.T, where, text string) {
	t.Helper()
	for _, secret := range s {
		for _, form := range []string{secret, hex.EncodeToString([]byte(secret)), strings.ToUpper(hex.EncodeToString([]byte(secret)))} {
			if strings.Contains(text, form) {
				t.Errorf("%s shows %q: %s", where, secret, text)
			}
		}
	}
}

func TestConfigHidesSecrets(t *testing.T) {
	s := secrets{"hush-data", "hush-sentinel"}
	cfg := store.Config{Database: store.DatabaseConfig{
		Host: "redis.example", Username: "nacre", Password: s[0],
		Sentinel: store.SentinelConfig{Master: "m", Username: "u", Password: s[1]},
	}}
	type app struct{ Store store.Config }
	for name, v := range map[string]any{
		"config": cfg, "pointer": &cfg, "database": cfg.Database, "database pointer": &cfg.Database, "sentinel": cfg.Database.Sentinel,
		"inside": app{cfg}, "list": []store.Config{cfg}, "map": map[string]any{"c": cfg},
	} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%X", "%d", "%20v"} {
			s.check(t, name+" "+verb, fmt.Sprintf(verb, v))
		}
		js, err := json.Marshal(v)
		must(t, err)
		s.check(t, name+" as JSON", string(js))
		ym, err := yaml.Marshal(v)
		must(t, err)
		s.check(t, name+" as YAML", string(ym))
		var text, lines bytes.Buffer
		slog.New(slog.NewTextHandler(&text, nil)).Info("m", "v", v)
		slog.New(slog.NewJSONHandler(&lines, nil)).Info("m", "v", v)
		s.check(t, name+" in slog text", text.String())
		s.check(t, name+" in slog JSON", lines.String())
	}
	// The rest is there, and can be read again.
	if text := fmt.Sprintf("%+v", cfg); !strings.Contains(text, "Host:redis.example") || !strings.Contains(text, "Password:[hidden]") {
		t.Errorf("%s", text)
	}
	js, err := json.Marshal(cfg)
	must(t, err)
	var again store.Config
	must(t, json.Unmarshal(js, &again))
	cfg.Database.Password, cfg.Database.Sentinel.Password = "", ""
	if got, want := fmt.Sprintf("%+v", again), fmt.Sprintf("%+v", cfg); got != want {
		t.Errorf("read again:\n%s, want\n%s", got, want)
	}
}

// logLines collects what is logged.
type logLines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *logLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// A session that fails in every way says neither in its errors nor in its log
// with which passwords.
func TestFailuresHideSecrets(t *testing.T) {
	s := secrets{"hush-right", "hush-wrong", "hush-new", "hush-sentinel", "hush-typo"}
	srv := redistest.Run(t, redistest.Options{Password: "hush-right"})
	set := redistest.RunSentinels(t, redistest.SentinelOptions{Password: "hush-right", SentinelPassword: "hush-sentinel"})
	free, err := redistest.FreePort()
	must(t, err)
	pair := testcert.New(t).Issue("redis.example")
	log := &logLines{}
	logger := slog.New(slog.NewTextHandler(log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	failures := 0
	failed := func(what string, err error) {
		t.Helper()
		if err == nil {
			t.Errorf("%s did not fail", what)
			return
		}
		failures++
		s.check(t, what, fmt.Sprintf("%v %+v %#v", err, err, err))
		for e := err; e != nil; e = errors.Unwrap(e) {
			s.check(t, what, fmt.Sprintf("%v %#v", e, e))
		}
	}
	for what, d := range map[string]store.DatabaseConfig{
		"wrong password":          {Host: "127.0.0.1", Port: srv.Port(), Password: "hush-wrong"},
		"wrong user":              {Host: "127.0.0.1", Port: srv.Port(), Username: "nobody", Password: "hush-wrong"},
		"nobody there":            {Host: "127.0.0.1", Port: free, Password: "hush-right"},
		"no such host":            {Host: "no.such.host.invalid", Port: free, Password: "hush-right"},
		"TLS":                     {Host: "127.0.0.1", Port: srv.Port(), Password: "hush-right", SSL: true, Timeout: 0.2},
		"key of another":          {Host: "127.0.0.1", Port: srv.Port(), Password: "hush-right", TLS: store.TLSConfig{Cert: pair.Key, Key: pair.Cert}},
		"no socket":               {Unix: "/no/socket", Password: "hush-right"},
		"no database":             {Host: "127.0.0.1", Port: srv.Port(), Password: "hush-right", DB: 99},
		"wrong type":              {Type: "postgres", Password: "hush-right"},
		"not a node":              {Cluster: []string{srv.Addr()}, Password: "hush-right"},
		"wrong sentinel password": {Password: "hush-right", Sentinel: store.SentinelConfig{Master: set.Name, Addresses: set.Addrs(), Password: "hush-typo"}},
		"wrong password behind":   {Password: "hush-wrong", Sentinel: store.SentinelConfig{Master: set.Name, Addresses: set.Addrs(), Password: "hush-sentinel"}},
		"unknown master":          {Password: "hush-right", Sentinel: store.SentinelConfig{Master: "else", Addresses: set.Addrs(), Password: "hush-sentinel"}},
	} {
		_, err := store.Open(t.Context(), store.Config{Database: d, Logger: logger, OpenWait: 100 * time.Millisecond})
		failed(what, err)
	}

	// The password changes under a session, whose connection is lost then.
	cfg := with(at(srv.Port()), func(c *store.Config) {
		c.Database.Password, c.Logger, c.Schemas = "hush-right", logger, []store.Schema{trading.Schema}
		c.OnError = func(err error) { failed("late", err) }
	})
	st, err := store.Open(t.Context(), cfg)
	must(t, err)
	tables := trading.New(st)
	must(t, tables.Positions.Put(t.Context(), position("P-1", trading.PositionSideLong)))
	_, err = srv.Do("CONFIG", "SET", "requirepass", "hush-new")
	must(t, err)
	_, err = srv.Do("CLIENT", "KILL", "TYPE", "normal") // refused: the helper's password is the old one
	if err == nil {
		t.Error("the old password is still good")
	}
	srv.SetPassword("hush-new")
	_, err = srv.Do("CLIENT", "KILL", "TYPE", "normal")
	must(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	failed("put", tables.Positions.Put(ctx, position("P-2", trading.PositionSideLong)))
	_, err = tables.Positions.Get(ctx, "P-3", store.Strong)
	failed("get", err)
	for _, err := range tables.Positions.All(ctx) {
		failed("all", err)
	}
	failed("append", tables.Orders.AppendEvents(ctx, order("O-1", trading.OrderStatusAccepted), event("E-1", trading.OrderEventTypeAccepted, trading.OrderStatusAccepted)))
	failed("commit", st.Commit(ctx, func(tx *store.Tx) error { return trading.New(tx).Positions.Delete(ctx, "P-1") }))
	failed("purge", st.Purge(ctx))
	failed("health", st.Health(ctx))
	closeStore(st)
	if failures < 20 {
		t.Errorf("only %d failures", failures)
	}
	text := log.String()
	if !strings.Contains(text, "waiting for redis") {
		t.Errorf("nothing is logged:\n%s", text)
	}
	s.check(t, "the log", text)
}
