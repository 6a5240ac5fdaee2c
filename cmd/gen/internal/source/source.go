// Package source reads schema files: YAML to syntax with positions and doc
// comments. It knows the shape of the language (keys, kinds, names, type
// expressions) and nothing of its meaning, of Go or of Redis.
//
// The YAML is taken from the parser's tree, never through a decoder, so that
// every scalar is read as its text and every error has a position.
package source

import (
	"errors"
	"go/token"
	"io/fs"
	"path"
	"strings"
)

// Load reads the *.yaml files at the top of fsys. Display is what messages call
// the folder. It always returns a schema: what is readable of it, so that the
// checks behind can find the other errors of the same run.
func Load(fsys fs.FS, display string) (*Schema, *Errors) {
	s, errs := &Schema{Path: display}, new(Errors)
	folder := token.Position{Filename: display}
	entries, err := fs.ReadDir(fsys, ".")
	if err != nil {
		errs.Addf(folder, "folder", "%v", cause(err))
		s.Broken = true
		return s, errs
	}
	for _, e := range entries {
		name := e.Name()
		pos := token.Position{Filename: path.Join(display, name)}
		switch ext := path.Ext(name); {
		case strings.HasPrefix(name, "."):
			continue
		case ext == ".yml":
			errs.Addf(pos, "file", "would not be read (want the ending .yaml)")
			continue
		case ext != ".yaml":
			continue
		case e.IsDir():
			errs.Addf(pos, "file", "is a folder")
			continue
		}
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			errs.Addf(pos, "file", "cannot be read: %v", cause(err))
			s.Broken = true
			continue
		}
		d := &decoder{errs: errs, path: pos.Filename}
		f := d.file(name, b)
		if f == nil {
			s.Broken = true
			continue
		}
		s.Files = append(s.Files, f)
	}
	if len(s.Files) == 0 && !s.Broken {
		errs.Addf(folder, "folder", "no schema file in it (want *.yaml)")
	}
	return s, errs
}

// cause is err without the path, which the position names already.
func cause(err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		return p.Err
	}
	return err
}
