package proxy

import (
	"fmt"
	"reflect"
	"slices"
	"sync"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/catalog"
)

// builtin gives the services that come with the program.
type builtin func() ([]consent.Service, error)

// readBuiltinOnce reads them when they are first asked for, and then no more: it
// takes as long as all else that is done for a site.
func readBuiltinOnce() builtin {
	return sync.OnceValues(func() ([]consent.Service, error) {
		services, err := catalog.Builtin()
		if err != nil {
			return nil, fmt.Errorf("read built-in services: %w", err)
		}
		return services, nil
	})
}

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

func (c *catalogs) with(base builtin, own catalog.Config) (*catalog.Catalog, error) {
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
	made, err := newCatalog(base, own)
	if err == nil {
		c.made = append(c.made, madeCatalog{own, made})
	}
	return made, err
}

// next is for the gateway that takes over.
func (c *catalogs) next() *catalogs { return &catalogs{before: c.made} }

func newCatalog(base builtin, own catalog.Config) (*catalog.Catalog, error) {
	services, err := base()
	if err != nil {
		return nil, err
	}
	services, err = catalog.Merge(services, own)
	if err != nil {
		return nil, fmt.Errorf("merge the site's services: %w", err)
	}
	return catalog.New(services)
}
