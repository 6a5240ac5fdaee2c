package main

import (
	"embed"
	"errors"
	"fmt"
	"go/token"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
)

//go:embed starter
var starter embed.FS

// A start is what the files of a new schema are filled in with.
type start struct {
	Package       string
	Import        string // Import path of the package.
	SchemaFromOut string
}

// runInit writes a schema to start from into a module, with its package.
func runInit(args []string, stdout, stderr io.Writer) int {
	flags := newFlags(stderr)
	name := flags.String("package", "desk", "the `name` of schema and package")
	if status, ok := parse(flags, args, stdout); !ok {
		return status
	}
	if flags.NArg() > 1 {
		fmt.Fprintf(stderr, "gen: unexpected argument %q\n%s", flags.Arg(1), usage)
		return exitUsage
	}
	dir := "."
	if flags.NArg() == 1 {
		dir = flags.Arg(0)
	}
	return report(initialise(dir, *name, stdout, stderr), stderr)
}

// initialise writes the files and runs gen once, so that the package compiles.
func initialise(dir, name string, stdout, stderr io.Writer) error {
	if !token.IsIdentifier(name) || name != strings.ToLower(name) || name == "main" {
		return fmt.Errorf("package name %q: is no name for a package", name)
	}
	importPath, err := importPathOf(dir)
	if err != nil {
		return err
	}
	s := start{Package: name, Import: path.Join(importPath, "gen", name), SchemaFromOut: "../../schema/" + name}
	schema, out := filepath.Join(dir, "schema", name), filepath.Join(dir, "gen", name)
	files := []struct{ path, from string }{
		{filepath.Join(schema, "types.yaml"), "starter/types.yaml"},
		{filepath.Join(schema, "position.yaml"), "starter/position.yaml"},
		{filepath.Join(out, "generate.go"), "starter/generate.go.txt"},
		{filepath.Join(out, name+"_test.go"), "starter/package_test.go.txt"},
	}
	for _, f := range files {
		if _, err := os.Lstat(f.path); !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("%s: exists already", f.path)
		}
	}
	for _, f := range files {
		t, err := template.ParseFS(starter, f.from)
		if err != nil {
			return err
		}
		var text strings.Builder
		if err := t.Execute(&text, s); err != nil {
			return err
		}
		if err := create(f.path, []byte(text.String()), stdout); err != nil {
			return err
		}
	}
	if err := create(filepath.Join(dir, "schema", "nacre.schema.json"), editorSchema, stdout); err != nil {
		return err
	}
	if err := generate(request{schema: schema, out: out, pkg: name}, stdout, stderr); err != nil {
		return err
	}
	fmt.Fprintf(stdout, "wrote %s (gen)\n", filepath.Join(out, "*.go"))
	return nil
}

// create writes a file with its folders and names it.
func create(path string, b []byte, stdout io.Writer) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o777); err != nil {
		return fmt.Errorf("folder %s: %w", filepath.Dir(path), cause(err))
	}
	if err := os.WriteFile(path, b, 0o666); err != nil {
		return fmt.Errorf("file %s: %w", path, cause(err))
	}
	fmt.Fprintf(stdout, "wrote %s\n", path)
	return nil
}

var moduleLine = regexp.MustCompile(`(?m)^module\s+"?([^\s"]+)"?`)

// importPathOf returns the import path of a folder within its module.
func importPathOf(dir string) (string, error) {
	abs, err := filepath.Abs(dir)
	if err != nil {
		return "", err
	}
	root := moduleRoot(abs)
	if root == "" {
		return "", fmt.Errorf("folder %s: is in no Go module (run go mod init first)", dir)
	}
	b, err := os.ReadFile(filepath.Join(root, "go.mod"))
	if err != nil {
		return "", err
	}
	m := moduleLine.FindSubmatch(b)
	if m == nil {
		return "", fmt.Errorf("%s: names no module", filepath.Join(root, "go.mod"))
	}
	rel, err := filepath.Rel(root, abs)
	if err != nil {
		return "", err
	}
	return path.Join(string(m[1]), filepath.ToSlash(rel)), nil
}
