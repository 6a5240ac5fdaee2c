package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/nacre-store/nacre/bench/internal/load"
	"github.com/nacre-store/nacre/bench/internal/target"
)

// A config is one run as asked for.
type config struct {
	args      []string
	profile   string
	compare   string // A git ref: no run of its own.
	child     bool   // One of the two builds of a comparison, which its parent starts.
	keys      []keyspace
	workloads []workload
	rate      float64
	inFlight  int
	arrival   load.Arrival
	dist      string
	loop      string
	transport string
	aof       bool
	pin       bool
	redisCPUs []int // Of the private servers; nil = any.
	slo       time.Duration
	seed      uint64
	rounds    int
	windows   int // A round and cell.
	slice     time.Duration
	peers     int           // Callers of each peer.
	budget    time.Duration // Of a standard run, loading included; 0 = none. Slices are cut to keep it.
	extend    bool
	extras    bool // Peers, sweep, and the other loops and workloads.
	out       string
	root      string // The repository.
	url       string
}

// slicesPerWindow slices of one cell, with slices of all others in between, are a window.
const slicesPerWindow = 5

// A keyspace is how many rows are loaded.
type keyspace struct {
	label string
	rows  int
}

// A workload is a mix of requests and the way in which the store is used.
type workload struct {
	name     string
	writes   int  // Percent.
	judged   bool // The SLO is claimed for it.
	buffered bool // Writes return when they are accepted, as the specification's configuration has it.
}

var workloads = []workload{
	{name: "read", judged: true},
	{name: "write", writes: 100, judged: true},
	{name: "mixed", writes: 20, judged: true},
	{name: "buffered", writes: 100, buffered: true},
}

// maxRate is more than one connection to one Redis ever carries.
const maxRate = 1_000_000

func parse(args []string, stderr io.Writer) (*config, error) {
	c := &config{args: args, profile: "standard", url: os.Getenv("NACRE_REDIS_URL"), extend: true}
	f := flag.NewFlagSet("nacre-bench", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	quick := f.Bool("quick", false, "a first look in 20 seconds: 10k keys")
	full := f.Bool("full", false, "100k keys too, peers, other loops and workloads, a rate sweep")
	f.StringVar(&c.compare, "compare", "", "compare this tree with a git `ref`, interleaved")
	f.BoolVar(&c.child, "child", false, "serve turns to the parent of a comparison")
	keys := f.String("keys", "", "key `counts`, such as 10k,100k,1M (default 10k,1M; 10k on a given or embedded server)")
	work := f.String("workload", "read,write", "`list` of "+strings.Join(names(), ", ")+" (mixed is 80 % reads; buffered is writes with testdata/spec-config.yaml)")
	f.Float64Var(&c.rate, "rate", 10_000, "requests a second in the open loop")
	f.IntVar(&c.inFlight, "inflight", 16, "most requests under way at once; clients of the closed loop")
	arrival := f.String("arrival", "fixed", "gaps between requests: fixed or poisson")
	f.StringVar(&c.dist, "dist", "uniform", "which keys: uniform or zipf (0.99)")
	f.StringVar(&c.loop, "loop", "open", "open, which is judged, or closed")
	f.StringVar(&c.transport, "transport", "tcp", "tcp, or unix for a socket of the private server")
	f.BoolVar(&c.aof, "aof", false, "private server with appendonly yes, appendfsync everysec")
	f.BoolVar(&c.pin, "pin", false, "keep client and private server on processors of their own (Linux)")
	f.DurationVar(&c.slo, "slo", time.Millisecond, "the p95 that is claimed")
	f.Uint64Var(&c.seed, "seed", 42, "of keys and arrivals")
	f.DurationVar(&c.slice, "slice", 0, "how long one cell is measured at a time (default 50ms, quick 30ms, full 100ms)")
	f.IntVar(&c.peers, "peer-clients", 8, "callers of each peer (full)")
	f.IntVar(&c.windows, "windows", 0, "windows of five slices a round and cell (default 4, full 8)")
	f.StringVar(&c.out, "out", "", "output `folder` (default bench/out/<time>)")
	usage := func(w io.Writer) {
		fmt.Fprint(w, "usage: nacre-bench [flags]\n\nMeasures typed reads and writes of real trading records on a private Redis, or on NACRE_REDIS_URL.\nExit codes: 0 pass, 1 could not run, 75 inconclusive, 99 breach.\n\n")
		f.SetOutput(w)
		f.PrintDefaults()
	}
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		usage(stderr)
		return nil, err
	} else if err != nil {
		return nil, fmt.Errorf("%w (see -help)", err)
	}
	if f.NArg() > 0 {
		return nil, fmt.Errorf("unexpected argument %q (see -help)", f.Arg(0))
	}
	var err error
	if c.root, err = findRoot(); err != nil {
		return nil, err
	}
	if c.arrival, err = load.ParseArrival(*arrival); err != nil {
		return nil, err
	}
	if _, err := target.ParseKeys(c.dist, 10); err != nil {
		return nil, err
	}
	if c.workloads, err = parseWorkloads(*work); err != nil {
		return nil, err
	}
	slice, windows := 50*time.Millisecond, 4
	c.rounds = 5
	switch {
	case *quick && *full:
		return nil, errors.New("-quick and -full exclude each other")
	case *quick:
		c.profile, slice, c.extend = "quick", 30*time.Millisecond, false
	case *full:
		c.profile, slice, windows, c.extras = "full", 100*time.Millisecond, 8, true
	}
	if c.slice == 0 {
		c.slice = slice
		if c.profile == "standard" {
			c.budget = 110 * time.Second
		}
	}
	if c.windows == 0 {
		c.windows = windows
	}
	if *keys == "" {
		switch {
		case *quick || c.url != "" || c.compare != "":
			*keys = "10k"
		case *full:
			*keys = "10k,100k,1M"
		default:
			*keys = "10k,1M"
		}
	}
	if c.keys, err = parseKeyspaces(*keys); err != nil {
		return nil, err
	}
	return c, c.check()
}

// check names what is impossible.
func (c *config) check() error {
	switch {
	case !(c.rate >= 1) || c.rate > maxRate:
		return fmt.Errorf("-rate %v is not between 1 and %d a second", c.rate, maxRate)
	case c.inFlight < 1 || c.inFlight > load.Slots:
		return fmt.Errorf("-inflight %d is not between 1 and %d", c.inFlight, load.Slots)
	case c.loop != "open" && c.loop != "closed":
		return fmt.Errorf("unknown loop %q (open or closed)", c.loop)
	case c.transport != "tcp" && c.transport != "unix":
		return fmt.Errorf("unknown transport %q (tcp or unix)", c.transport)
	case c.url != "" && c.transport == "unix":
		return errors.New("-transport unix needs the private server, but NACRE_REDIS_URL is set (it may be unix:///path itself)")
	case c.url != "" && c.aof:
		return errors.New("-aof needs the private server, but NACRE_REDIS_URL is set")
	case c.url != "" && c.pin:
		return errors.New("-pin needs the private server, but NACRE_REDIS_URL is set")
	case c.slo <= 0:
		return fmt.Errorf("-slo %v is no duration to claim", c.slo)
	case c.peers < 1 || c.peers > 1024:
		return fmt.Errorf("-peer-clients %d is not between 1 and 1024", c.peers)
	case c.slice < 5*time.Millisecond || c.slice > 10*time.Second:
		return fmt.Errorf("-slice %v is not between 5ms and 10s", c.slice)
	case c.windows < 1:
		return fmt.Errorf("-windows %d is not positive", c.windows)
	}
	if n := c.rate * c.slice.Seconds() * slicesPerWindow * float64(c.windows); n < 400 {
		return fmt.Errorf("-rate %v gives %.0f requests a round and cell, a p95 needs 400: raise -rate, -slice or -windows", c.rate, n)
	}
	return nil
}

func names() []string {
	var out []string
	for _, w := range workloads {
		out = append(out, w.name)
	}
	return out
}

func parseWorkloads(list string) ([]workload, error) {
	var out []workload
	for name := range strings.SplitSeq(list, ",") {
		i := slices.IndexFunc(workloads, func(w workload) bool { return w.name == name })
		if i < 0 {
			return nil, fmt.Errorf("unknown workload %q (%s)", name, strings.Join(names(), ", "))
		}
		if slices.Contains(out, workloads[i]) {
			return nil, fmt.Errorf("workload %q is named twice", name)
		}
		out = append(out, workloads[i])
	}
	return out, nil
}

// parseKeyspaces reads "10k,1M".
func parseKeyspaces(list string) ([]keyspace, error) {
	var out []keyspace
	for word := range strings.SplitSeq(list, ",") {
		unit, digits := 1, word
		if s, ok := strings.CutSuffix(word, "k"); ok {
			unit, digits = 1_000, s
		} else if s, ok := strings.CutSuffix(word, "M"); ok {
			unit, digits = 1_000_000, s
		}
		n, err := strconv.Atoi(digits)
		if err != nil || n < 1 || n > 20_000_000/unit || n*unit < 10_000 {
			return nil, fmt.Errorf("-keys: %q is no number from 10k to 20M", word)
		}
		k := keyspace{word, n * unit}
		if len(out) > 0 && k.rows <= out[len(out)-1].rows {
			return nil, fmt.Errorf("-keys: %q is not more than %q before it", word, out[len(out)-1].label)
		}
		out = append(out, k)
	}
	return out, nil
}

// findRoot looks for the repository, whose test data the bench loads, from the working directory upwards.
func findRoot() (string, error) {
	at, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for dir := at; ; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "testdata", "market")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", fmt.Errorf("no folder testdata/market here or above: run it inside the repository, not in %s", at)
		}
	}
}

// oneLine is an error as one clear line.
func oneLine(err error) string {
	return strings.Join(strings.FieldsFunc(err.Error(), func(r rune) bool { return r == '\n' || r == '\r' }), "; ")
}
