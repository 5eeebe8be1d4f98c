// Package inventory keeps what third parties and cookies a site uses, as
// documents, headers, cookies and browsers' reports show it: for those who run
// the site, so that they can classify what nobody knows.
//
// Nothing in it is of a visitor: a thing, the paths of a few pages it is on, the
// days on which it was seen first and last, and counts. What only a visitor has
// said (a cookie of a service the site does not use, a query, an address) is not
// kept; parts of names and paths that differ from visitor to visitor are replaced
// by an asterisk.
//
// A page that is answered from memory counts like one that was edited: Record
// gives a reference that is kept with the page. An answer without a page (304) does
// not count.
//
// What documents show and what reports claim are kept apart, since anybody can
// send a report. Both are bounded: see the constants below.
package inventory

const (
	maxHosts     = 2000 // things that are not cookies, by kind, host and service
	maxCookies   = 500  //
	maxPerSite   = 24   // hosts of one domain, before it is kept as "*.domain"
	maxReported  = 300  // things in reports, of services known and unknown each
	maxDifferent = 400  // things in one answer
	maxPages     = 5    // examples of where a thing was seen
	maxName      = 128  // bytes of a host or of a cookie's name
	maxPath      = 200  // bytes of a page's path

	// staleAfter is after how many days something not seen any more makes room.
	staleAfter = 180
)
