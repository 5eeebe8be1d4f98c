package catalog

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/numfocus/consentgate/consent"
)

// A vendorFile is one vendor's file.
type vendorFile struct {
	Vendor   string   `yaml:"vendor"`
	Country  string   `yaml:"country"`
	Privacy  string   `yaml:"privacy"`
	Services []listed `yaml:"services"`
}

// listed is an entry that carries its id, as it does in a list.
type listed struct {
	ID    consent.ServiceID `yaml:"id"`
	Entry `yaml:",inline"`
}

// Parse reads a vendor's file. file is its name, for errors.
//
// It is strict: an unknown key is an error, and so is an entry that lacks
// something a visitor has to be told. The error joins one error for each
// mistake, with file, line, column, and the cure; those about an entry wrap a
// [consent.Mistake].
func Parse(file string, yaml []byte) ([]consent.Service, error) {
	f, err := parseFile(file, yaml)
	if err != nil {
		return nil, err
	}
	return f.services(), nil
}

func parseFile(file string, yaml []byte) (vendorFile, error) {
	var f vendorFile
	src := source{file: file, data: yaml}
	errs := src.load(&f)
	whole := len(errs) == 0
	for _, m := range f.check() {
		// What could not be read is reported as such already, and would be
		// reported again as missing.
		if whole || !strings.HasPrefix(m.Problem, "missing") {
			errs = append(errs, src.locate(m))
		}
	}
	return f, errors.Join(errs...)
}

func (f vendorFile) services() []consent.Service {
	services := make([]consent.Service, 0, len(f.Services))
	for _, l := range f.Services {
		services = append(services, f.service(l))
	}
	return services
}

func (f vendorFile) service(l listed) consent.Service {
	return l.apply(consent.Service{
		ID: l.ID, Vendor: f.Vendor, Country: f.Country, PrivacyURL: f.Privacy,
	})
}

func (f vendorFile) check() []consent.Mistake {
	list := Entry{Country: f.Country, Privacy: f.Privacy}.check("")
	if len(f.Services) == 0 {
		list = append(list, consent.Mistake{Field: "services", Problem: "missing", Cure: "list at least one service"})
	}
	ids := make(map[consent.ServiceID]bool)
	for i, l := range f.Services {
		at := fmt.Sprintf("services[%d]", i)
		s := f.service(l)
		list = append(list, checkID(l.ID, at+".id")...)
		if ids[l.ID] && l.ID != "" {
			list = append(list, duplicate(l.ID, at))
		}
		ids[l.ID] = true
		list = append(list, l.check(at)...)
		list = append(list, what(&s, at)...)
		for _, m := range who(&s, "") { // once for the file, not for each service in it
			if !slices.Contains(list, m) {
				list = append(list, m)
			}
		}
	}
	return list
}

func duplicate(id consent.ServiceID, at string) consent.Mistake {
	return consent.Mistake{
		Field:   at + ".id",
		Problem: fmt.Sprintf("there is a service %q already", id),
		Cure:    "give each service an id of its own",
	}
}
