package catalog

import "testing"

// builtinCatalog compiles the services that come with the program.
func builtinCatalog(t testing.TB) *Catalog {
	t.Helper()
	services, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	c, err := New(services)
	if err != nil {
		t.Fatal(err)
	}
	return c
}
