package store

import (
	"errors"
	"fmt"
	"log/slog"
	"math"
	"time"

	"github.com/redis/rueidis"
)

// Config says where Redis is and how the store behaves. The zero value of each
// field is the default of the specification, so that Config{} is a store on
// localhost:6379. Names in YAML and JSON are those of the specification.
type Config struct {
	Database DatabaseConfig `json:"database" yaml:"database"`

	// Encoding of new rows: "msgpack" (default) or "json", which is for
	// debugging. Rows are read in either encoding, so that a live store can be
	// switched.
	Encoding string `json:"encoding,omitempty" yaml:"encoding,omitempty"`
	// TimestampsAsISO8601 writes timestamps as RFC 3339 text instead of
	// nanoseconds. Both are read.
	TimestampsAsISO8601 bool `json:"timestamps_as_iso8601,omitempty" yaml:"timestamps_as_iso8601,omitempty"`
	// PersistAccountEvents keeps the list "events" of the table "account". nil
	// means true.
	PersistAccountEvents *bool `json:"persist_account_events,omitempty" yaml:"persist_account_events,omitempty"`
	// BufferIntervalMS is how long accepted writes may wait for others, in
	// milliseconds; 0 writes synchronously, and the other options of the buffer
	// then say nothing. With a buffer, every write but Update and Commit returns
	// when it is accepted. It is then sent in the background, in the order of
	// acceptance for each row, and again until Redis has answered; rows that
	// were not sent yet give way to newer ones, elements of lists and series
	// never do. Reads of this store see what is accepted. What fails for good
	// goes to OnError and to the next Flush or Close; what is accepted is lost
	// when the process dies before it is sent.
	BufferIntervalMS int `json:"buffer_interval_ms,omitempty" yaml:"buffer_interval_ms,omitempty"`
	// BufferEntries bounds how many accepted writes may wait: rows, elements of
	// lists and series, fields of hashes. 0 is 100,000.
	BufferEntries int `json:"buffer_entries,omitempty" yaml:"buffer_entries,omitempty"`
	// BufferBytes bounds the memory of accepted writes that wait; 0 is 64 MiB.
	BufferBytes int64 `json:"buffer_bytes,omitempty" yaml:"buffer_bytes,omitempty"`
	// BufferFull says what a write does when the bounds are reached: "block"
	// (default) waits up to MaxBlock for room, "fail" returns [ErrBufferFull]
	// at once, and "sync" writes without the buffer.
	BufferFull string `json:"buffer_full,omitempty" yaml:"buffer_full,omitempty"`
	// MaxBlock is how long a write waits for room at most; 0 is 1 s.
	MaxBlock time.Duration `json:"max_block,omitempty" yaml:"max_block,omitempty"`
	// UseTraderPrefix puts TraderID into every key. nil means true.
	UseTraderPrefix *bool `json:"use_trader_prefix,omitempty" yaml:"use_trader_prefix,omitempty"`
	// UseInstanceID puts InstanceID into every key.
	UseInstanceID bool `json:"use_instance_id,omitempty" yaml:"use_instance_id,omitempty"`
	// FlushOnStart removes the tenant's keys in Open, which refuses to while
	// another process writes the same tenant.
	FlushOnStart bool `json:"flush_on_start,omitempty" yaml:"flush_on_start,omitempty"`
	// TickCapacity is the capacity of every series whose name ends in "tick",
	// in elements; 0 is the schema's.
	TickCapacity int `json:"tick_capacity,omitempty" yaml:"tick_capacity,omitempty"`
	// BarCapacity is the capacity of the series "bar"; 0 is the schema's.
	BarCapacity int `json:"bar_capacity,omitempty" yaml:"bar_capacity,omitempty"`

	// Prefix starts every key; "" is "trader".
	Prefix string `json:"prefix,omitempty" yaml:"prefix,omitempty"`
	// TraderID and InstanceID are the tenant.
	TraderID   string `json:"trader_id,omitempty" yaml:"trader_id,omitempty"`
	InstanceID string `json:"instance_id,omitempty" yaml:"instance_id,omitempty"`
	// HashTag writes the keys of Redis Cluster on a standalone server too.
	HashTag bool `json:"hash_tag,omitempty" yaml:"hash_tag,omitempty"`

	// TTL overrides the schema by "table" or "table.state": a duration such as
	// "30d", "12h", "90s", or "none".
	TTL map[string]string `json:"ttl,omitempty" yaml:"ttl,omitempty"`

	// Cache keeps rows that were read or written near, decoded and current:
	// "on" (default), or "off", which every process should choose that seldom
	// reads a row again: Redis sends each process with a cache the name of every
	// key that changes under Prefix. Without it there is no Watch.
	Cache string `json:"cache,omitempty" yaml:"cache,omitempty"`
	// CacheBytes bounds the memory of the cache; 0 is 64 MiB. Nothing larger
	// than 1/256 of it is kept.
	CacheBytes int64 `json:"cache_bytes,omitempty" yaml:"cache_bytes,omitempty"`
	// MaxAge bounds how old a row out of the cache can be at worst, when the
	// connection has broken down unnoticed; 0 is 5 s. Redis is asked for a sign
	// of life five times as often.
	MaxAge time.Duration `json:"max_age,omitempty" yaml:"max_age,omitempty"`

	// Fence says what Open does where a write that was given up could still
	// arrive behind a newer one, which is so behind a proxy that puts several
	// clients on one connection: "auto" (default) goes on and says so in
	// [Store.Stats], "required" refuses.
	Fence string `json:"fence,omitempty" yaml:"fence,omitempty"`
	// OpenWait is how long Open waits for a server that is not there yet or is
	// still loading; 0 is not at all: Open then fails at the first try.
	OpenWait time.Duration `json:"open_wait,omitempty" yaml:"open_wait,omitempty"`
	// AllowEviction opens a server whose maxmemory-policy may evict rows.
	AllowEviction bool `json:"allow_eviction,omitempty" yaml:"allow_eviction,omitempty"`

	// Schemas are the emitted packages that this process uses. Repositories of
	// a package that is not named answer [ErrRefused].
	Schemas []Schema `json:"-" yaml:"-"`
	// Logger takes what the store has to say; nil is [slog.Default].
	Logger *slog.Logger `json:"-" yaml:"-"`
	// OnError is told each late error of a buffered write, one after the other
	// and never on the way of a write. [Store.Flush] and [Store.Close] return
	// them too.
	OnError func(error) `json:"-" yaml:"-"`
	// Observer is told of every operation; nil costs nothing.
	Observer Observer `json:"-" yaml:"-"`
	// Client is used instead of connecting, for tests with rueidis/mock. It is
	// not closed by the store.
	Client rueidis.Client `json:"-" yaml:"-"`
}

// DatabaseConfig is the connection to Redis.
type DatabaseConfig struct {
	Type     string    `json:"type,omitempty" yaml:"type,omitempty"` // "redis" (default).
	Host     string    `json:"host,omitempty" yaml:"host,omitempty"` // "" is localhost.
	Port     int       `json:"port,omitempty" yaml:"port,omitempty"` // 0 is 6379.
	Username string    `json:"username,omitempty" yaml:"username,omitempty"`
	Password string    `json:"password,omitempty" yaml:"password,omitempty"`
	SSL      bool      `json:"ssl,omitempty" yaml:"ssl,omitempty"`
	TLS      TLSConfig `json:"tls,omitzero" yaml:"tls,omitempty"`
	// Timeout bounds connecting, in seconds; 0 is 2.
	Timeout float64 `json:"timeout,omitempty" yaml:"timeout,omitempty"`
	DB      int     `json:"db,omitempty" yaml:"db,omitempty"`
	// Unix is the path of a socket, used instead of host and port.
	Unix string `json:"unix,omitempty" yaml:"unix,omitempty"`
	// Sentinel and Cluster name several servers instead of host and port.
	Sentinel SentinelConfig `json:"sentinel,omitzero" yaml:"sentinel,omitempty"`
	Cluster  []string       `json:"cluster,omitempty" yaml:"cluster,omitempty"`
}

// TLSConfig names files in PEM form and the name that the server's certificate
// must carry. Any field implies ssl.
type TLSConfig struct {
	CA         string `json:"ca,omitempty" yaml:"ca,omitempty"`
	Cert       string `json:"cert,omitempty" yaml:"cert,omitempty"`
	Key        string `json:"key,omitempty" yaml:"key,omitempty"`
	ServerName string `json:"server_name,omitempty" yaml:"server_name,omitempty"`
}

// SentinelConfig finds the master through Redis Sentinel.
type SentinelConfig struct {
	Master    string   `json:"master,omitempty" yaml:"master,omitempty"`
	Addresses []string `json:"addresses,omitempty" yaml:"addresses,omitempty"`
	Username  string   `json:"username,omitempty" yaml:"username,omitempty"`
	Password  string   `json:"password,omitempty" yaml:"password,omitempty"`
}

// LogValue hides the secrets, so that a logged Config never shows them.
func (d DatabaseConfig) LogValue() slog.Value {
	return slog.GroupValue(slog.String("address", d.address()), slog.String("username", d.Username), slog.Int("db", d.DB))
}

func (d DatabaseConfig) address() string {
	switch {
	case d.Unix != "":
		return d.Unix
	case d.Sentinel.Master != "":
		return fmt.Sprintf("sentinel master %q of %v", d.Sentinel.Master, d.Sentinel.Addresses)
	case len(d.Cluster) > 0:
		return fmt.Sprintf("cluster %v", d.Cluster)
	}
	host, port := d.Host, d.Port
	if host == "" {
		host = "localhost"
	}
	if port == 0 {
		port = 6379
	}
	return joinHostPort(host, port)
}

func (d DatabaseConfig) timeout() time.Duration {
	if d.Timeout == 0 {
		return 2 * time.Second
	}
	return time.Duration(d.Timeout * float64(time.Second))
}

// The bounds of the cache where the configuration names none, and the least
// age to which signs of life can be had.
const (
	defaultCacheBytes = 64 << 20
	defaultMaxAge     = 5 * time.Second
	leastMaxAge       = 10 * time.Millisecond
)

func (c Config) cacheBytes() int64 {
	if c.CacheBytes == 0 {
		return defaultCacheBytes
	}
	return c.CacheBytes
}

func (c Config) maxAge() time.Duration {
	if c.MaxAge == 0 {
		return defaultMaxAge
	}
	return c.MaxAge
}

func yes(b *bool) bool { return b == nil || *b }

// Validate names every option that is unknown, impossible or contradicts
// another one. Open calls it.
func (c Config) Validate() error {
	var errs []error
	bad := func(option, format string, args ...any) {
		errs = append(errs, refused("config: %s: %s", option, fmt.Sprintf(format, args...)))
	}
	d := c.Database
	if d.Type != "" && d.Type != "redis" {
		bad("database.type", "%q is not supported (only redis)", d.Type)
	}
	if d.Port < 0 || d.Port > 65535 {
		bad("database.port", "%d is no port", d.Port)
	}
	if !(d.Timeout >= 0) || d.Timeout > math.MaxInt32 {
		bad("database.timeout", "%v is no number of seconds", d.Timeout)
	}
	if d.DB < 0 {
		bad("database.db", "%d is no database", d.DB)
	}
	ways := 0
	for _, set := range []bool{d.Unix != "", d.Sentinel.Master != "" || len(d.Sentinel.Addresses) > 0, len(d.Cluster) > 0} {
		if set {
			ways++
		}
	}
	if ways > 1 || ways == 1 && (d.Host != "" || d.Port != 0) {
		bad("database", "host and port, unix, sentinel and cluster exclude each other")
	}
	if (d.Sentinel.Master == "") != (len(d.Sentinel.Addresses) == 0) {
		bad("database.sentinel", "master and addresses go together")
	}
	if d.Sentinel.Master == "" && (d.Sentinel.Username != "" || d.Sentinel.Password != "") {
		bad("database.sentinel", "username and password are of sentinels, and none is named")
	}
	if len(d.Cluster) > 0 && d.DB != 0 {
		bad("database.db", "a cluster has only database 0")
	}
	if (d.TLS.Cert == "") != (d.TLS.Key == "") {
		bad("database.tls", "cert and key go together")
	}
	if c.Encoding != "" && c.Encoding != "msgpack" && c.Encoding != "json" {
		bad("encoding", "%q is not msgpack or json", c.Encoding)
	}
	c.validateWrites(bad)
	if c.TickCapacity < 0 {
		bad("tick_capacity", "%d is negative", c.TickCapacity)
	}
	if c.BarCapacity < 0 {
		bad("bar_capacity", "%d is negative", c.BarCapacity)
	}
	if c.Cache != "" && c.Cache != "on" && c.Cache != "off" {
		bad("cache", "%q is not on or off", c.Cache)
	}
	if c.CacheBytes < 0 {
		bad("cache_bytes", "%d is negative", c.CacheBytes)
	}
	if c.MaxAge != 0 && c.MaxAge < leastMaxAge {
		bad("max_age", "%v is less than %v", c.MaxAge, leastMaxAge)
	}
	if c.UseTraderPrefix != nil && !*c.UseTraderPrefix && c.TraderID != "" {
		bad("use_trader_prefix", "false contradicts trader_id %q", c.TraderID)
	}
	if c.UseInstanceID && c.InstanceID == "" {
		bad("instance_id", "use_instance_id needs a configured id: one made up at each start would start empty")
	}
	if !c.UseInstanceID && c.InstanceID != "" {
		bad("instance_id", "%q is given, but use_instance_id is false", c.InstanceID)
	}
	if _, err := c.namespace(); err != nil {
		bad("prefix", "%v", err)
	}
	return errors.Join(errs...)
}
