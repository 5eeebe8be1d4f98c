package catalog

import (
	"embed"
	"errors"
	"io/fs"
	"path"

	"github.com/numfocus/consentgate/consent"
)

//go:embed services/*.yaml
var files embed.FS

// Builtin returns the services that come with the program, by vendor's file
// name, in each file's order. It reads them anew at each call. The error, which
// only a mistake in this package's own data can cause, names every mistake.
func Builtin() ([]consent.Service, error) {
	names, err := fs.Glob(files, "services/*.yaml")
	if err != nil {
		return nil, err
	}
	var all []consent.Service
	var errs []error
	for _, name := range names {
		services, err := builtinFile(name)
		all, errs = append(all, services...), append(errs, err)
	}
	seen := make(map[consent.ServiceID]bool, len(all))
	for _, s := range all {
		if seen[s.ID] {
			errs = append(errs, duplicate(s.ID, string(s.ID)))
		}
		seen[s.ID] = true
	}
	return all, errors.Join(errs...)
}

func builtinFile(name string) ([]consent.Service, error) {
	data, err := files.ReadFile(name)
	if err != nil {
		return nil, err
	}
	return Parse(path.Join("consent/catalog", name), data)
}
