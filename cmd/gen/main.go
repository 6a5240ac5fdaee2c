package main

import (
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"go/scanner"
	"go/token"
	"io"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/nacre-store/nacre/cmd/gen/internal/emit"
	"github.com/nacre-store/nacre/cmd/gen/internal/model"
)

// editorSchema is the JSON Schema of schema files.
//
//go:embed nacre.schema.json
var editorSchema []byte

const usage = `usage: gen -schema folder [-out folder] [-package name] [-check] [-allow-breaking] [-v]
       gen init [-package name] [dir]
       gen -editor-schema
`

// The exit statuses.
const (
	exitOK    = 0
	exitFault = 1
	exitUsage = 2
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// A request is what the command line asks for.
type request struct {
	schema, out, pkg      string
	check, allowBreaking  bool
	verbose, editorSchema bool
}

// run is main without the process: it returns the exit status.
func run(args []string, stdout, stderr io.Writer) int {
	if len(args) > 0 && args[0] == "init" {
		return runInit(args[1:], stdout, stderr)
	}
	var r request
	flags := newFlags(stderr)
	flags.StringVar(&r.schema, "schema", "", "the schema `folder`")
	flags.StringVar(&r.out, "out", ".", "the `folder` of the package")
	flags.StringVar(&r.pkg, "package", "", "the `name` of the package (default: the base name of -out)")
	flags.BoolVar(&r.check, "check", false, "write nothing, show what would change and exit with status 1 if anything would")
	flags.BoolVar(&r.allowBreaking, "allow-breaking", false, "accept a schema that cannot read what its predecessor stored")
	flags.BoolVar(&r.verbose, "v", false, "name the files written and deleted, and every change of the schema")
	flags.BoolVar(&r.editorSchema, "editor-schema", false, "print the JSON Schema of schema files")
	if status, ok := parse(flags, args, stdout); !ok {
		return status
	}
	switch {
	case flags.NArg() > 0:
		fmt.Fprintf(stderr, "gen: unexpected argument %q\n%s", flags.Arg(0), usage)
		return exitUsage
	case r.editorSchema:
		stdout.Write(editorSchema)
		return exitOK
	case r.schema == "":
		fmt.Fprintf(stderr, "gen: -schema is missing\n%s", usage)
		return exitUsage
	}
	return report(generate(r, stdout, stderr), stderr)
}

// newFlags returns a flag set that reports through [parse].
func newFlags(stderr io.Writer) *flag.FlagSet {
	flags := flag.NewFlagSet("gen", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() { fmt.Fprint(flags.Output(), usage) }
	return flags
}

// parse returns false and an exit status where the run is over already.
func parse(flags *flag.FlagSet, args []string, stdout io.Writer) (int, bool) {
	stderr := flags.Output()
	flags.SetOutput(io.Discard)
	err := flags.Parse(args)
	switch {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(stdout, usage)
		flags.SetOutput(stdout)
		flags.PrintDefaults()
		return exitOK, false
	case err != nil:
		fmt.Fprintf(stderr, "gen: %v\n%s", err, usage)
		return exitUsage, false
	}
	return exitOK, true
}

// errStale says that the package is not what -check wants; the diff was printed.
var errStale = errors.New("stale: run go generate")

// generate does one run. It writes nothing unless the whole run is good. Of
// success it tells only what changes for rows that are stored.
func generate(r request, stdout, stderr io.Writer) error {
	pkgName, err := packageName(r)
	if err != nil {
		return err
	}
	if info, err := os.Stat(r.schema); err != nil {
		return fmt.Errorf("schema folder %s: %w", r.schema, cause(err))
	} else if !info.IsDir() {
		return fmt.Errorf("schema folder %s: is a file", r.schema)
	}
	pkg, err := model.Load(r.schema, display(r.schema), pkgName)
	if err != nil {
		return err
	}
	old, err := read(r.out)
	if err != nil {
		return err
	}
	lock, differences, err := model.NextLock(pkg, path.Join(display(r.out), lockName), old[lockName], r.allowBreaking)
	if err != nil && differences != nil {
		return &breakingError{err, filepath.Join(r.out, lockName)}
	}
	if err != nil {
		return err
	}
	files, err := emit.Package(pkg, lock)
	if err != nil {
		return err
	}
	files[lockName] = lock
	changes, err := plan(r.out, pkgName, old, files)
	if err != nil {
		return err
	}
	if r.check {
		return check(r.out, changes, stdout)
	}
	if err := write(r.out, changes); err != nil {
		return err
	}
	for _, d := range differences {
		if d.Class != model.Safe || r.verbose {
			fmt.Fprintf(stderr, "%s\n", d)
		}
	}
	for _, c := range changes {
		if r.verbose {
			fmt.Fprintf(stderr, "%s %s\n", c.verb(), c.path)
		}
		// The go command has listed the files that it looks for directives in.
		if from := os.Getenv("GOFILE"); c.new == nil && from != "" && from < filepath.Base(c.path) {
			fmt.Fprintf(stderr, "gen: deleted %s: go generate stops where it misses it: run it again\n", c.path)
		}
	}
	return nil
}

// A breakingError is a schema that breaks with its predecessor.
type breakingError struct {
	error
	lock string
}

func (e *breakingError) Unwrap() error { return e.error }

// check prints what would change.
func check(out string, changes []change, stdout io.Writer) error {
	if len(changes) == 0 {
		return nil
	}
	for _, c := range changes {
		fmt.Fprint(stdout, diff(c))
	}
	return fmt.Errorf("output folder %s: %w", out, errStale)
}

// packageName returns the name of the package to write.
func packageName(r request) (string, error) {
	name, from := r.pkg, "-package"
	if name == "" {
		abs, err := filepath.Abs(r.out)
		if err != nil {
			return "", err
		}
		name, from = filepath.Base(abs), "the folder of -out"
	}
	if !token.IsIdentifier(name) || name == "_" || name == "main" {
		return "", fmt.Errorf("package name %q (%s): is no name for a package (set -package)", name, from)
	}
	return name, nil
}

// display returns what headers and messages call a folder: its path
// within the module, so that emitted files do not depend on where gen ran.
func display(dir string) string {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return filepath.ToSlash(filepath.Clean(dir))
	}
	if root := moduleRoot(abs); root != "" {
		if rel, err := filepath.Rel(root, abs); err == nil {
			return filepath.ToSlash(rel)
		}
	}
	return filepath.Base(abs)
}

// moduleRoot returns the nearest folder at or above dir with a go.mod, or "".
func moduleRoot(dir string) string {
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// report prints err and returns the exit status.
func report(err error, stderr io.Writer) int {
	if err == nil {
		return exitOK
	}
	if list, ok := errors.AsType[scanner.ErrorList](err); ok {
		for _, e := range list {
			fmt.Fprintln(stderr, e)
		}
		if b, ok := errors.AsType[*breakingError](err); ok {
			fmt.Fprintf(stderr, "gen: nothing was written; if no row has been stored yet, delete %s, else see -allow-breaking\n", b.lock)
		}
		return exitFault
	}
	fmt.Fprintf(stderr, "gen: %s\n", strings.TrimSpace(err.Error()))
	return exitFault
}
