package consent

// A ServiceID names a service in configuration, in records and in the page:
// lower case, digits and hyphens, for example "google-analytics-4".
type ServiceID string

// A Service is one third-party product: who is behind it, what it is for, and
// how it is recognised and replaced. Patterns are plain text here; package
// catalog gives them meaning.
type Service struct {
	ID         ServiceID
	Name       string  // as the vendor writes it: "Google Analytics 4"
	Vendor     string  // legal name of who runs it
	Country    string  // ISO 3166-1 alpha-2 of the vendor's seat
	PrivacyURL string  // the vendor's privacy policy
	Purpose    Purpose // what it waits for
	Sells      bool    // sells or shares personal data in the sense of US state law: Sec-GPC withholds it
	FirstParty bool    // runs on the site itself: no vendor, country or privacy URL of its own
	Loss       string  // what a visitor goes without while it is withheld, in one plain sentence

	URLs     []string    // URL patterns
	Inline   []Signature // how its inline scripts are recognised
	Cookies  []Cookie
	Withheld Replacement
	Draws    []string // fixed texts: a script with one in its address or text draws where it stands
}

// A Signature recognises an inline script by a regular expression (RE2) on its
// text.
type Signature struct {
	Pattern string
	Role    Role
}

// A Role says what an inline script with a signature does.
type Role string

const (
	Loader Role = "loader" // fetches the service's code: always withheld with the service
	Call   Role = "call"   // calls into it: withheld where that is most of what the script does
)

// A Cookie is one cookie of a service.
type Cookie struct {
	Name     string // glob: '*' stands for any run of characters
	Lifetime string // as told to the visitor: "2 years", "session"
	SetBy    SetBy
	Domain   string // registrable domain it is set for; empty: the site itself
}

// SetBy says how a cookie comes to be.
type SetBy string

const (
	ByScript SetBy = "script" // written through document.cookie
	ByHTTP   SetBy = "http"   // sent in a Set-Cookie header
)

// A Replacement says what stands where a withheld service's element was.
type Replacement string

const (
	Remove      Replacement = "remove"      // nothing
	Placeholder Replacement = "placeholder" // a box of the same size that offers to load it
)
