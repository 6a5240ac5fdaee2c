// Command gen turns a schema folder into a Go package: typed rows with
// MessagePack codecs, and repositories over package store.
//
//	go tool github.com/nacre-store/nacre/cmd/gen -schema ../../schema/trading -out .
//
// It stands in a go:generate line of the package that it writes. Success is
// silent, but for changes of the schema that alter how stored rows are handled
// (a ttl, say), and for indexes that are to be built. A fault in the schema is told as
//
//	schema/trading/order.yaml:12:20: field "price": unknown type "decimel" (did you mean "decimal"?)
//
// all faults of a run at once, and nothing is written.
//
// The flags are:
//
//	-schema folder
//		The schema folder: one YAML file for each table and series, and one for shared types.
//	-out folder
//		The folder of the package (default "."). Files of an earlier run that are no longer
//		wanted are deleted; files that gen did not write are left alone.
//	-package name
//		The name of the package (default: the base name of the output folder).
//	-check
//		Write nothing: show what would change, and exit with status 1 if anything would.
//	-allow-breaking
//		Accept a schema that cannot read what its predecessor stored.
//	-v
//		Name the files written and deleted, and every change of the schema.
//	-editor-schema
//		Print the JSON Schema of schema files, for editors, and do nothing else.
//
// Beside the Go files it keeps schema.lock.json, the schema of the last run,
// and refuses a schema that breaks with it. Commit that file.
//
// In a new module,
//
//	go tool github.com/nacre-store/nacre/cmd/gen init [-package name] [dir]
//
// writes a commented schema to start from, the package with its go:generate
// line and a test, and the JSON Schema for editors.
//
// The exit status is 0 for success, 1 for a fault in schema or folders or a
// stale package under -check, and 2 for wrong usage.
package main
