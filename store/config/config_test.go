package config_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/nacre-store/nacre/store"
	"github.com/nacre-store/nacre/store/config"
)

var update = flag.Bool("update", false, "write the .err files of testdata anew")

func ptr[T any](v T) *T { return &v }

// specConfig is the specification's block: every option, with its value.
var specConfig = store.Config{
	Database:             store.DatabaseConfig{Type: "redis", Host: "localhost", Port: 6379, Timeout: 2},
	Encoding:             "msgpack",
	PersistAccountEvents: ptr(true),
	BufferIntervalMS:     100,
	UseTraderPrefix:      ptr(true),
	TickCapacity:         10_000,
	BarCapacity:          10_000,
}

func diff(want, got store.Config) string { return cmp.Diff(want, got) }

func TestSpecConfig(t *testing.T) {
	f, err := os.Open("../../testdata/spec-config.yaml")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	got, err := config.Load(f)
	if err != nil {
		t.Fatal(err)
	}
	if d := diff(specConfig, got); d != "" {
		t.Errorf("spec-config.yaml (-want +got):\n%s", d)
	}
}

func TestLoad(t *testing.T) {
	full := store.Config{
		Database: store.DatabaseConfig{
			Host: "redis.example", Port: 6380, Username: "desk", Password: "12345", Timeout: 0.5, SSL: true,
			TLS: store.TLSConfig{CA: "ca.pem", ServerName: "redis"}, DB: 3,
		},
		UseTraderPrefix: ptr(true), TraderID: "001",
		TTL: map[string]string{"order.closed": "30d", "instrument": "12h"},
	}
	for name, tc := range map[string]struct {
		text string
		want store.Config
	}{
		"empty":         {"", store.Config{}},
		"only comments": {"# nothing\n", store.Config{}},
		"YAML": {`
database:
  host: redis.example
  port: 6_380
  username: desk
  password: 12345
  timeout: 0.5
  ssl: true
  tls: {ca: ca.pem, server_name: redis}
  db: 3
use_trader_prefix: true
trader_id: 001
ttl:
  order.closed: 30d
  instrument: 12h
`, full},
		"JSON": {`{
	"database": {"host": "redis.example", "port": 6380, "username": "desk", "password": "12345",
		"timeout": 0.5, "ssl": true, "tls": {"ca": "ca.pem", "server_name": "redis"}, "db": 3},
	"use_trader_prefix": true,
	"trader_id": "001",
	"ttl": {"order.closed": "30d", "instrument": "12h"}
}`, full},
		"cluster": {"database:\n  cluster: [a:1, 'b:2']\n", store.Config{Database: store.DatabaseConfig{Cluster: []string{"a:1", "b:2"}}}},
		"false is not unset": {"persist_account_events: false\nuse_trader_prefix: false\n",
			store.Config{PersistAccountEvents: ptr(false), UseTraderPrefix: ptr(false)}},
		"cache":       {"cache: off\ncache_bytes: 1_000_000\nmax_age: 2500ms\n", store.Config{Cache: "off", CacheBytes: 1_000_000, MaxAge: 2500 * time.Millisecond}},
		"cache, JSON": {`{"cache": "on", "max_age": "2s"}`, store.Config{Cache: "on", MaxAge: 2 * time.Second}},
		"escapes":     {`{"database": {"password": "\u00e4 \"x\" \\ #"}}`, store.Config{Database: store.DatabaseConfig{Password: `ä "x" \ #`}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := config.Load(strings.NewReader(tc.text))
			if err != nil {
				t.Fatal(err)
			}
			if d := diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// TestErrors loads every faulty file of testdata and compares the error with
// the .err file beside it.
func TestErrors(t *testing.T) {
	paths, err := filepath.Glob("testdata/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	for _, path := range paths {
		t.Run(strings.TrimSuffix(filepath.Base(path), ".yaml"), func(t *testing.T) {
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			got, err := config.Load(strings.NewReader(string(text)))
			if err == nil {
				t.Fatal("no error")
			}
			if d := diff(store.Config{}, got); d != "" {
				t.Errorf("a configuration came with the error (+got):\n%s", d)
			}
			golden := strings.TrimSuffix(path, ".yaml") + ".err"
			if *update {
				if err := os.WriteFile(golden, []byte(err.Error()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, readErr := os.ReadFile(golden)
			if readErr != nil {
				t.Fatal(readErr)
			}
			if d := cmp.Diff(string(want), err.Error()+"\n"); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

// clean removes every variable with the prefix for the time of a test.
func clean(t *testing.T) {
	for _, entry := range os.Environ() {
		if name, value, _ := strings.Cut(entry, "="); strings.HasPrefix(name, config.EnvPrefix) {
			t.Setenv(name, value) // restores it at the end
			os.Unsetenv(name)
		}
	}
}

func TestFromEnv(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want store.Config
	}{
		"empty": {nil, store.Config{}},
		"not options": {map[string]string{
			"NACRE_REDIS_SERVER": "/usr/bin/redis-server", "NACRE_LONG": "1", "NACRE_DATABASE_HOST": "", "OTHER_HOST": "x",
		}, store.Config{}},
		"spec": {map[string]string{
			"NACRE_DATABASE_TYPE": "redis", "NACRE_DATABASE_HOST": "localhost", "NACRE_DATABASE_PORT": "6379",
			"NACRE_DATABASE_SSL": "false", "NACRE_DATABASE_TIMEOUT": "2", "NACRE_ENCODING": "msgpack",
			"NACRE_TIMESTAMPS_AS_ISO8601": "false", "NACRE_PERSIST_ACCOUNT_EVENTS": "true", "NACRE_BUFFER_INTERVAL_MS": "100",
			"NACRE_USE_TRADER_PREFIX": "true", "NACRE_USE_INSTANCE_ID": "false", "NACRE_FLUSH_ON_START": "false",
			"NACRE_TICK_CAPACITY": "10_000", "NACRE_BAR_CAPACITY": "10000",
		}, specConfig},
		"durations": {map[string]string{"NACRE_MAX_AGE": "1m30s"}, store.Config{MaxAge: 90 * time.Second}},
		"lists": {map[string]string{
			"NACRE_DATABASE_SENTINEL_MASTER": "m", "NACRE_DATABASE_SENTINEL_ADDRESSES": "a:1, b:2",
			"NACRE_TTL": "order.closed=30d,instrument=12h",
		}, store.Config{
			Database: store.DatabaseConfig{Sentinel: store.SentinelConfig{Master: "m", Addresses: []string{"a:1", "b:2"}}},
			TTL:      map[string]string{"order.closed": "30d", "instrument": "12h"},
		}},
		"URL": {map[string]string{"NACRE_REDIS_URL": "rediss://desk:p%40ss@redis.example:6380/2", "NACRE_TRADER_ID": "001"}, store.Config{
			Database: store.DatabaseConfig{Host: "redis.example", Port: 6380, Username: "desk", Password: "p@ss", SSL: true, DB: 2},
			TraderID: "001",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			clean(t)
			for name, value := range tc.env {
				t.Setenv(name, value)
			}
			got, err := config.FromEnv()
			if err != nil {
				t.Fatal(err)
			}
			if d := diff(tc.want, got); d != "" {
				t.Errorf("(-want +got):\n%s", d)
			}
		})
	}
}

func TestFromEnvErrors(t *testing.T) {
	for name, tc := range map[string]struct {
		env  map[string]string
		want string
	}{
		"unknown":       {map[string]string{"NACRE_DATABASE_HOTS": "x"}, "config: NACRE_DATABASE_HOTS: unknown option (did you mean NACRE_DATABASE_HOST?)"},
		"kind":          {map[string]string{"NACRE_DATABASE_PORT": "http"}, `config: NACRE_DATABASE_PORT: "http" is not a whole number`},
		"map":           {map[string]string{"NACRE_TTL": "30d"}, `config: NACRE_TTL: "30d" is not name=value`},
		"several":       {map[string]string{"NACRE_B": "1", "NACRE_A": "1"}, "config: NACRE_A: unknown option\nconfig: NACRE_B: unknown option"},
		"URL":           {map[string]string{"NACRE_REDIS_URL": "http://:geheim@h"}, `config: NACRE_REDIS_URL: the scheme "http" is not redis, rediss or unix`},
		"no URL":        {map[string]string{"NACRE_REDIS_URL": "redis://:geh\x7feim@h"}, "config: NACRE_REDIS_URL: is no URL"},
		"URL and host":  {map[string]string{"NACRE_REDIS_URL": "redis://h", "NACRE_DATABASE_HOST": "h"}, "config: NACRE_REDIS_URL: contradicts NACRE_DATABASE_HOST"},
		"contradiction": {map[string]string{"NACRE_USE_TRADER_PREFIX": "false", "NACRE_TRADER_ID": "001"}, "use_trader_prefix"},
	} {
		t.Run(name, func(t *testing.T) {
			clean(t)
			for name, value := range tc.env {
				t.Setenv(name, value)
			}
			_, err := config.FromEnv()
			if err == nil || !strings.Contains(err.Error(), tc.want) {
				t.Errorf("got %v, want %q in it", err, tc.want)
			}
			if err != nil && strings.Contains(err.Error(), "geheim") {
				t.Errorf("the error shows the password: %v", err)
			}
		})
	}
}

func TestURL(t *testing.T) {
	for text, want := range map[string]store.DatabaseConfig{
		"redis://localhost":               {Host: "localhost"},
		"redis://:pw@127.0.0.1:7000/5":    {Host: "127.0.0.1", Port: 7000, Password: "pw", DB: 5},
		"redis://[::1]:7000":              {Host: "::1", Port: 7000},
		"unix:///run/redis.sock":          {Unix: "/run/redis.sock"},
		"unix://u:p@/run/redis.sock?db=2": {Unix: "/run/redis.sock", Username: "u", Password: "p", DB: 2},
		"rediss://redis.example/":         {Host: "redis.example", SSL: true},
	} {
		got, err := config.URL(text)
		if err != nil {
			t.Errorf("%s: %v", text, err)
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s (-want +got):\n%s", text, d)
		}
	}
	for _, text := range []string{"redis://h/x", "redis://h/-1", "redis://h?db=1", "unix://", "unix://host/path", "unix:///s?timeout=1", "h:6379"} {
		if _, err := config.URL(text); err == nil {
			t.Errorf("%s: no error", text)
		}
	}
}
