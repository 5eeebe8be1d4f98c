package rewrite

// A Kind says what a browser would do with a URL.
type Kind uint8

const (
	Script   Kind = iota + 1 // run it: script, SVG script, modulepreload, import map
	Frame                    // show it as a page of its own: iframe, frame, object, embed, amp-iframe
	Image                    // show it: img, picture, CSS url(), SVG image and use
	Pixel                    // an image made not to be seen: 1x1, hidden, or inside noscript
	Media                    // play it: video, audio, source, track
	Style                    // apply it: stylesheet, @import
	Font                     // @font-face, preload as=font
	Icon                     // link rel=icon and manifest
	Hint                     // look the host up or connect to it: dns-prefetch, preconnect
	Prefetch                 // fetch it early: prefetch, prerender, speculation rules
	Beacon                   // tell it: a[ping], attributionsrc, amp-analytics
	Refresh                  // go there: meta refresh
)

// A Ref is a URL found in a page, with where it was found. It is valid only
// during the call that passes it.
type Ref struct {
	Kind    Kind
	Element string // lower-case tag name: "script"
	Attr    string // lower-case attribute name, "srcset", "data-src", "style"; empty in the text of an element
	URL     []byte // character references decoded, trimmed, not resolved; nil for an AMP component that names none
	At      int64  // where the element starts, in bytes of the input (as UTF-8 where it is UTF-16 or ISO-2022-JP)
}

// An Inline is the text of a script element that runs, or that an optimiser
// plugin parked to be run later. It is valid only during the call.
type Inline struct {
	Text []byte
	Type string // the type attribute, lower case; empty for none
	At   int64  // where the element starts, in bytes of the input
}

// An Element is one that is withheld and may be replaced. It is valid only
// during the call.
type Element struct {
	Name string // lower-case tag name
	Ref  Ref    // the URL it is withheld for
	// Attr gives the decoded value of an attribute by its lower-case name.
	Attr func(name string) (value []byte, ok bool)
}

// A Place is where something can be put into a document.
type Place uint8

const (
	HeadStart Place = iota + 1 // before anything in head that could load or run
	BodyStart                  // the first thing in body
	BodyEnd                    // the last thing in body
)

// An Action is what is to be done with something.
type Action uint8

const (
	Keep Action = iota
	Withhold
)

// Containers is what Rules may be as well, to hear of elements that say what a script
// further on is to draw in them: their attribute "data-tf-widget" or "data-url" and its
// value, which is valid only during the call.
type Containers interface {
	Container(attr string, value []byte)
}

// Rules judge what the rewriter finds in one document. The rewriter calls them
// from one goroutine, in document order. The appending methods return dst, with
// or without something added, as the append built-in does.
type Rules interface {
	// Base is told the href of the document's first base element.
	Base(href []byte)
	// Language is told the lang attribute of the html element.
	Language(tag []byte)
	// URL judges a URL that the page would load without anybody's click.
	URL(*Ref) Action
	// Script judges the whole text of an inline script.
	Script(*Inline) Action
	// AppendPlaceholder appends what stands in place of a withheld frame,
	// object, embed, video or audio element, or of a script where it could have
	// drawn something. The URL of an inline script is empty.
	AppendPlaceholder(dst []byte, el *Element) []byte
	// AppendContent appends what an element's data-consent attribute asks for;
	// it comes before what is in the element already.
	AppendContent(dst, attribute []byte) []byte
	// AppendInsert appends what is to be put at a place. It is asked at most
	// once for each place, and not at all in a fragment.
	AppendInsert(dst []byte, at Place) []byte
	// Beyond is told that something was withheld or closed unjudged, because it
	// was longer than the limit ("tag", "script text", "style text", "srcdoc"),
	// or could not be understood ("speculation rules", "charset"), or is read by
	// browsers in more ways than one ("noscript", "foreign content",
	// "plaintext").
	Beyond(what string, at int64)
}
