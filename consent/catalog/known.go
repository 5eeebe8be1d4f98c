package catalog

import (
	_ "embed"
	"fmt"
	"strings"
	"sync"

	"github.com/numfocus/consentgate/consent"
)

// cookieTable holds cookie names that no built-in service claims; the file's
// head says what its columns are.
//
//go:embed cookies.tsv
var cookieTable string

// knownCookies reads the table once, for all catalogs.
var knownCookies = sync.OnceValues(func() (*cookieIndex, error) { return readCookieTable(cookieTable) })

// readCookieTable makes an index of the table's names. Names of one platform and
// purpose belong to one service, which stands for no more than that.
func readCookieTable(table string) (*cookieIndex, error) {
	var claims []claim
	services := make(map[string]*consent.Service)
	number := 0
	for line := range strings.Lines(table) {
		number++
		line = strings.TrimRight(line, "\r\n")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		cells := strings.Split(line, "\t")
		if len(cells) != 4 {
			return nil, fmt.Errorf("cookies.tsv:%d: %d columns, want name, purpose, platform and retention", number, len(cells))
		}
		name, platform, retention := cells[0], cells[2], cells[3]
		purpose, err := consent.ParsePurpose(cells[1])
		if err != nil {
			return nil, fmt.Errorf("cookies.tsv:%d: %w", number, err)
		}
		s := standIn(services, platform, purpose)
		s.Cookies = append(s.Cookies, consent.Cookie{Name: name, Lifetime: retention, SetBy: consent.ByScript})
		claims = append(claims, claim{service: s, name: name})
	}
	return newCookieIndex(claims), nil
}

// knownPrefix begins the id of a service that stands for a platform of the table.
const knownPrefix = "cookie-"

// standIn returns the service that stands for a platform and a purpose. A
// platform that has several purposes has several.
func standIn(services map[string]*consent.Service, platform string, purpose consent.Purpose) *consent.Service {
	id := knownPrefix + slug(platform)
	if s := services[id]; s != nil && s.Purpose != purpose {
		id += "-" + string(purpose)
	}
	s := services[id]
	if s == nil {
		s = &consent.Service{ID: consent.ServiceID(id), Name: platform, Purpose: purpose, Withheld: consent.Remove}
		services[id] = s
	}
	return s
}

// slug makes a name fit for an id: "AB Tasty (v2)" becomes "ab-tasty-v2".
func slug(name string) string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9')
	})
	return strings.Join(words, "-")
}
