package consent

import (
	"errors"
	"strings"
)

// Mistakes takes apart what [errors.Join] put together, in its order. An error
// that is no Mistake becomes one without a Field. For nil there are none.
func Mistakes(err error) []Mistake {
	switch e := err.(type) {
	case nil:
		return nil
	case interface{ Unwrap() []error }:
		var all []Mistake
		for _, part := range e.Unwrap() {
			all = append(all, Mistakes(part)...)
		}
		return all
	}
	if m, ok := errors.AsType[Mistake](err); ok {
		return []Mistake{m}
	}
	return []Mistake{{Problem: err.Error()}}
}

// Within puts field in front of the paths of all mistakes in err: what a Config
// found in itself is found in the Config that holds it.
func Within(field string, err error) error {
	var errs []error
	for _, m := range Mistakes(err) {
		switch {
		case m.Field == "":
			m.Field = field
		case strings.HasPrefix(m.Field, "["):
			m.Field = field + m.Field
		default:
			m.Field = field + "." + m.Field
		}
		errs = append(errs, m)
	}
	return errors.Join(errs...)
}
