package endpoint

import (
	"crypto/sha1"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/numfocus/consentgate/consent"
)

// Config is where the gateway's own routes are and what the well-known
// resources say. The zero value is fine.
type Config struct {
	// Prefix of the gateway's own routes. Empty: "/_consent/".
	Prefix string `yaml:"prefix"`
	// GPCUpdated is the day (YYYY-MM-DD) on which the site last stated that it
	// honours Global Privacy Control. Empty: nothing is said of a day.
	GPCUpdated string `yaml:"gpc_updated"`
	// SameParty lists other domains of the same organisation (TPE section
	// 6.4.6), for the tracking status.
	SameParty []string `yaml:"same_party"`
	// DNTPolicy is a file with the EFF's Do Not Track policy, byte for byte as
	// the EFF publishes it. To serve it is a promise to visitors; among other
	// things logs that tell visitors apart must go after ten days. Empty: not
	// served.
	DNTPolicy string `yaml:"dnt_policy"`
}

// DefaultPrefix is where the gateway's own routes are unless configured.
const DefaultPrefix = "/_consent/"

func (c Config) prefix() string {
	if c.Prefix == "" {
		return DefaultPrefix
	}
	return c.Prefix
}

var prefixForm = regexp.MustCompile(`^/([A-Za-z0-9._~-]+/)+$`)

// Check reports every mistake, joined; each is a [consent.Mistake].
func (c Config) Check() error {
	var mistakes []error
	if p := c.prefix(); !prefixForm.MatchString(p) || strings.HasPrefix(p, wellKnown) || strings.Contains(p, "/.") {
		mistakes = append(mistakes, consent.Mistake{
			Field: "prefix", Problem: fmt.Sprintf("%q cannot hold the gateway's own pages", p),
			Cure: "use a path that starts and ends with a slash and that the site does not have, such as /_consent/"})
	}
	if _, err := time.Parse(time.DateOnly, c.GPCUpdated); c.GPCUpdated != "" && err != nil {
		mistakes = append(mistakes, consent.Mistake{
			Field: "gpc_updated", Problem: fmt.Sprintf("%q is not a date", c.GPCUpdated), Cure: "write it as 2026-11-24"})
	}
	for i, domain := range c.SameParty {
		if domain == "" || strings.ContainsAny(domain, "/: ") {
			mistakes = append(mistakes, consent.Mistake{
				Field: fmt.Sprintf("same_party[%d]", i), Problem: fmt.Sprintf("%q is not a domain", domain),
				Cure: "write the name alone, such as numfocus.org"})
		}
	}
	if _, err := c.dntPolicy(); err != nil {
		mistakes = append(mistakes, err)
	}
	return errors.Join(mistakes...)
}

// policySums are the SHA-1 of version 1.0 of the EFF's policy in the forms that
// its readers accept: as published, without spaces at line ends, with CRLF, and
// without the last line's end.
func policySums() []string {
	return []string{
		"a18e8dba6848d3fc241b03b88291cb75a3cfec3b",
		"5b8972a0e8df8236bb28061ddc462767d4366218",
		"c09f71363bb29d0250a1f5524eef36f9ab07669b",
		"7861462d500fbb6ccb74c614782f4937377bec76",
	}
}

func (c Config) dntPolicy() ([]byte, error) {
	if c.DNTPolicy == "" {
		return nil, nil
	}
	text, err := os.ReadFile(c.DNTPolicy)
	if err != nil {
		return nil, consent.Mistake{Field: "dnt_policy", Problem: err.Error(),
			Cure: "fetch https://www.eff.org/files/dnt-policy.txt-1.0 to that place, or leave the setting out"}
	}
	sum := sha1.Sum(text)
	if !slices.Contains(policySums(), hex.EncodeToString(sum[:])) {
		return nil, consent.Mistake{Field: "dnt_policy",
			Problem: fmt.Sprintf("%s is not the EFF's Do Not Track policy 1.0 (its SHA-1 is %x)", c.DNTPolicy, sum),
			Cure:    "fetch it anew and change nothing in it, not even the name of the example domain"}
	}
	return text, nil
}
