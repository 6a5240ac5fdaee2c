package main

import (
	"encoding/json"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/goccy/go-yaml"
	"github.com/google/jsonschema-go/jsonschema"
	"golang.org/x/tools/txtar"
)

// TestEditorSchemaFresh checks that schema/nacre.schema.json is what gen prints.
func TestEditorSchemaFresh(t *testing.T) {
	stdout, _ := gen(t, 0, "-editor-schema")
	b, err := os.ReadFile("../../schema/nacre.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	if stdout != string(b) {
		t.Error("schema/nacre.schema.json is stale: go run ./cmd/gen -editor-schema > schema/nacre.schema.json")
	}
}

// TestEditorSchema checks that editors accept every schema file that gen accepts.
func TestEditorSchema(t *testing.T) {
	schema := editor(t)
	files := make(map[string][]byte)
	for _, root := range []string{"../../schema", "../../testdata", "starter"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".yaml" || !isSchema(path) {
				return err
			}
			files[path], err = os.ReadFile(path)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for _, path := range caseFiles(t) {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if !isOut(f) {
				files[path+"/"+f.Name] = f.Data
			}
		}
	}
	if len(files) < 30 {
		t.Fatalf("only %d schema files found", len(files))
	}
	for path, b := range files {
		if err := schema.Validate(instance(t, b)); err != nil {
			t.Errorf("%s: %v", path, err)
		}
	}
}

// isSchema tells whether a YAML file is in a schema folder.
func isSchema(path string) bool {
	for part := range strings.SplitSeq(filepath.ToSlash(path), "/") {
		if part == "schema" || part == "starter" {
			return true
		}
	}
	return false
}

// TestEditorSchemaRefuses checks that editors mark what gen refuses for its form.
func TestEditorSchemaRefuses(t *testing.T) {
	schema := editor(t)
	for name, text := range map[string]string{
		"no table":           "key: a\nfields: {a: string}\n",
		"unknown key":        "table: a\nkey: a\nfields: {a: string}\nindexs: {}\n",
		"two kinds":          "table: a\nseries: b\nkey: a\ncapacity: 1\nfields: {a: string}\n",
		"no fields":          "table: a\nkey: a\nfields: {}\n",
		"name":               "table: A\nkey: a\nfields: {a: string}\n",
		"field name":         "table: a\nkey: a\nfields: {aB: string}\n",
		"nested list":        "table: a\nkey: a\nfields: {a: list<list<string>>}\n",
		"optional element":   "table: a\nkey: a\nfields: {a: list<string?>}\n",
		"max":                "table: a\nkey: a\nfields: {a: {type: string, max: 1GB}}\n",
		"field key":          "table: a\nkey: a\nfields: {a: {type: string, mix: 1}}\n",
		"ttl":                "table: a\nkey: a\nttl: 7 days\nfields: {a: string}\n",
		"list without id":    "table: a\nkey: a\nfields: {a: string}\ncollections: {l: {list: S}}\n",
		"hash with id":       "table: a\nkey: a\nfields: {a: string}\ncollections: {l: {hash: S, id: a}}\n",
		"states without by":  "table: a\nkey: a\nfields: {a: string}\nstates: {open: {values: [A]}}\n",
		"lower case value":   "enums: {E: [a]}\n",
		"value twice":        "enums: {E: [A, A]}\n",
		"empty index":        "table: a\nkey: a\nfields: {a: string}\nindexes: {i: {}}\n",
		"kept_by":            "table: a\nkey: a\nkept_by: [open]\nfields: {a: string}\n",
		"series without key": "series: a\ncapacity: 1\nfields: {a: string}\n",
		"capacity":           "series: a\nkey: {k: string}\ncapacity: none\nfields: {a: string}\n",
	} {
		if schema.Validate(instance(t, []byte(text))) == nil {
			t.Errorf("%s: accepted", name)
		}
		d := newDesk(t)
		d.write("note.yaml", text)
		d.gen(1)
	}
}

func editor(t *testing.T) *jsonschema.Resolved {
	t.Helper()
	var s jsonschema.Schema
	if err := json.Unmarshal(editorSchema, &s); err != nil {
		t.Fatal(err)
	}
	resolved, err := s.Resolve(nil)
	if err != nil {
		t.Fatal(err)
	}
	return resolved
}

// instance returns a YAML text as JSON has it.
func instance(t *testing.T, b []byte) any {
	t.Helper()
	b, err := yaml.YAMLToJSON(b)
	if err != nil {
		t.Fatal(err)
	}
	var v any
	if err := json.Unmarshal(b, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
