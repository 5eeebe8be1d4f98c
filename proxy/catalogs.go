package proxy

import (
	"fmt"
	"reflect"
	"slices"

	"github.com/numfocus/consentgate/consent/catalog"
)

// catalogs lets sites that change the built-in services in the same way, most of
// them not at all, share one catalog: each takes 20 ms to make and 2 MB to keep.
type catalogs struct {
	made   []madeCatalog
	before []madeCatalog // of the gateway before; those that are wanted again move to made
}

type madeCatalog struct {
	own     catalog.Config
	catalog *catalog.Catalog
}

func (c *catalogs) with(own catalog.Config) (*catalog.Catalog, error) {
	same := func(m madeCatalog) bool {
		return len(own) == 0 && len(m.own) == 0 || reflect.DeepEqual(m.own, own)
	}
	if i := slices.IndexFunc(c.made, same); i >= 0 {
		return c.made[i].catalog, nil
	}
	if i := slices.IndexFunc(c.before, same); i >= 0 {
		c.made = append(c.made, c.before[i])
		return c.before[i].catalog, nil
	}
	made, err := newCatalog(own)
	if err == nil {
		c.made = append(c.made, madeCatalog{own, made})
	}
	return made, err
}

// next is for the gateway that takes over.
func (c *catalogs) next() *catalogs { return &catalogs{before: c.made} }

func newCatalog(own catalog.Config) (*catalog.Catalog, error) {
	builtin, err := catalog.Builtin()
	if err != nil {
		return nil, fmt.Errorf("read built-in services: %w", err)
	}
	services, err := catalog.Merge(builtin, own)
	if err != nil {
		return nil, fmt.Errorf("merge the site's services: %w", err)
	}
	return catalog.New(services)
}
