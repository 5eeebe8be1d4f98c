//go:build !unix

package serve

import "github.com/caddyserver/certmagic"

// newFolder keeps certificates in files.
func newFolder(path string) certmagic.Storage { return &certmagic.FileStorage{Path: path} }
