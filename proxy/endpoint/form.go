package endpoint

import (
	"errors"
	"fmt"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/consent/ledger"
)

// A verb is the value of the field "choice".
type verb string

const (
	accept   verb = "accept"   // every purpose
	reject   verb = "reject"   // nothing
	save     verb = "save"     // what is ticked
	withdraw verb = "withdraw" // nothing any more
	grant    verb = "grant"    // what is named, beyond what was granted before
)

// A form is a choice as it was sent.
type form struct {
	verb        verb
	purposes    consent.Purposes
	services    []consent.ServiceID // sorted
	once        bool                // for one page only
	revision    string              // of the notice that was agreed to
	overrideDNT bool
	overrideGPC bool
	settings    bool   // sent from the settings page
	target      string // where to go, as sent
}

// largestBody is how long a form or a report may be.
const largestBody = 64 << 10

var errForm = errors.New("not a choice of this site")

// readForm reads the fields of a choice from the body, and nothing from the
// address: a link must not be able to choose.
func (e *Endpoint) readForm(w http.ResponseWriter, r *http.Request) (form, error) {
	r.Body = http.MaxBytesReader(w, r.Body, largestBody)
	if err := parseBody(r); err != nil {
		return form{}, fmt.Errorf("%w: %w", errForm, err)
	}
	return e.parseForm(r.PostForm)
}

func parseBody(r *http.Request) error {
	mediaType, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	switch {
	case err != nil:
		return err
	case mediaType == "multipart/form-data":
		return r.ParseMultipartForm(largestBody)
	case mediaType == "application/x-www-form-urlencoded":
		return r.ParseForm()
	}
	return fmt.Errorf("media type %q", mediaType)
}

func (e *Endpoint) parseForm(fields url.Values) (form, error) {
	f := form{
		verb:        verb(fields.Get("choice")),
		once:        fields.Get("once") != "",
		revision:    fields.Get("revision"),
		overrideDNT: slices.Contains(fields["override"], "dnt"),
		overrideGPC: slices.Contains(fields["override"], "gpc"),
		settings:    fields.Get("from") == "settings",
		target:      fields.Get("return"),
	}
	if !fields.Has("revision") {
		f.revision = e.site.Policy.Revision // written by hand: every form of ours says it
	}
	var err error
	if f.purposes, err = parsePurposes(fields["purpose"]); err != nil {
		return form{}, err
	}
	if f.services, err = e.parseServices(fields["service"]); err != nil {
		return form{}, err
	}
	return f, f.settle()
}

// settle makes purposes and services what the verb says they are.
func (f *form) settle() error {
	switch f.verb {
	case accept:
		f.purposes, f.services, f.once = consent.Everything, nil, false
	case reject, withdraw:
		f.purposes, f.services, f.once = 0, nil, false
	case save:
		f.once = false
	case grant:
		if !f.grants() || f.once && len(f.services) == 0 {
			return fmt.Errorf("%w: it grants nothing", errForm)
		}
	default:
		return fmt.Errorf("%w: choice %q", errForm, f.verb)
	}
	return nil
}

func (f *form) grants() bool {
	return consent.Choice{Purposes: f.purposes, Services: f.services}.Grants()
}

func parsePurposes(names []string) (consent.Purposes, error) {
	var set consent.Purposes
	for _, name := range names {
		p, err := consent.ParsePurpose(name)
		if err != nil {
			return 0, fmt.Errorf("%w: %w", errForm, err)
		}
		set = set.With(p)
	}
	return set, nil
}

// parseServices leaves out what is necessary: it needs no consent.
func (e *Endpoint) parseServices(names []string) ([]consent.ServiceID, error) {
	ids := make(map[consent.ServiceID]bool)
	for _, name := range names {
		s, ok := e.services[consent.ServiceID(name)]
		if !ok {
			return nil, fmt.Errorf("%w: service %q", errForm, name)
		}
		if s.Purpose != consent.Necessary {
			ids[s.ID] = true
		}
	}
	return slices.Sorted(maps.Keys(ids)), nil
}

func (f *form) method() ledger.Method {
	switch {
	case f.verb == grant:
		return ledger.ByPlaceholder
	case f.settings || f.verb == save || f.verb == withdraw:
		return ledger.BySettings
	}
	return ledger.ByBanner
}
