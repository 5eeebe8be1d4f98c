package rewrite

// An attrID is an attribute name some rule asks for.
type attrID uint8

const (
	attrNone attrID = iota
	attrAs
	attrAttributionsrc
	attrBackground
	attrBy
	attrCharset
	attrClipPath
	attrColor
	attrConfig
	attrConsent
	attrContent
	attrCursor
	attrData
	attrEncoding
	attrFace
	attrFill
	attrFilter
	attrFrom
	attrHeight
	attrHref
	attrHTTPEquiv
	attrImagesrcset
	attrLang
	attrMarker
	attrMarkerEnd
	attrMarkerMid
	attrMarkerStart
	attrMask
	attrName
	attrPing
	attrPoster
	attrRel
	attrSize
	attrSrc
	attrSrcdoc
	attrSrcset
	attrStroke
	attrStyle
	attrTfWidget
	attrTo
	attrType
	attrURL
	attrValue
	attrValues
	attrWidth
	attrXlinkHref
	attrCount

	// What lazy-loading scripts will copy into the real attribute.
	attrLazyURL    // data-src and its kin
	attrLazySrcset // data-srcset and its kin
	attrLazyCSS    // data-bg and its kin: a URL or CSS
	attrLazyHref   // data-href
)

var attrNames = [attrCount]string{
	attrAs: "as", attrAttributionsrc: "attributionsrc", attrBackground: "background", attrBy: "by",
	attrCharset: "charset", attrClipPath: "clip-path", attrColor: "color", attrConfig: "config",
	attrConsent: "data-consent", attrContent: "content", attrCursor: "cursor", attrData: "data", attrEncoding: "encoding",
	attrFace: "face", attrFill: "fill", attrFilter: "filter", attrFrom: "from", attrHeight: "height",
	attrHref: "href", attrHTTPEquiv: "http-equiv", attrImagesrcset: "imagesrcset", attrLang: "lang",
	attrMarker: "marker", attrMarkerEnd: "marker-end", attrMarkerMid: "marker-mid",
	attrMarkerStart: "marker-start", attrMask: "mask", attrName: "name", attrPing: "ping",
	attrPoster: "poster", attrRel: "rel", attrSize: "size", attrSrc: "src", attrSrcdoc: "srcdoc",
	attrSrcset: "srcset", attrStroke: "stroke", attrStyle: "style", attrTfWidget: "data-tf-widget", attrTo: "to", attrType: "type",
	attrURL:   "data-url",
	attrValue: "value", attrValues: "values", attrWidth: "width", attrXlinkHref: "xlink:href",
}

// attrOf gives the attribute of a name in any case. Names that begin with
// "data-" are told apart by what they say they hold, since every lazy-loading
// script has its own.
func attrOf(name []byte) attrID {
	if id := attrIndex.find(name); id != 0 {
		return attrID(id)
	}
	if len(name) > len("data-") && foldEqual(name[:5], "data-") {
		return lazyAttr(name[5:])
	}
	return attrNone
}

func lazyAttr(name []byte) attrID {
	if !saysLazy(name) {
		return attrNone
	}
	switch {
	case foldContains(name, "srcset"), foldContains(name, "bgset"):
		return attrLazySrcset
	case foldContains(name, "src"), foldEqual(name, "original"), foldEqual(name, "lazy"):
		return attrLazyURL
	case foldEqual(name, "bg"), foldContains(name, "background"), hasFoldPrefix(name, "bg-"), foldContains(name, "-bg"), foldEqual(name, "poster"):
		return attrLazyCSS
	case foldEqual(name, "href"), foldContains(name, "lazy-href"):
		return attrLazyHref
	}
	return attrNone
}

// saysLazy reports whether one of the words that lazyAttr knows may be in a name.
// Most names have none, and one look tells.
func saysLazy(name []byte) bool {
	for i := 0; i+1 < len(name); i++ {
		switch name[i] | 0x20 {
		case 's':
			if name[i+1]|0x20 == 'r' { // src
				return true
			}
		case 'b':
			if next := name[i+1] | 0x20; next == 'g' || next == 'a' { // bg, background
				return true
			}
		case 'h', 'l', 'o', 'p':
			if i == 0 || name[i-1] == '-' { // href, lazy, original, poster
				return true
			}
		}
	}
	return false
}

// foldEqual reports whether b is s, which is lower case, in any ASCII case.
func foldEqual[T []byte | string](b T, s string) bool {
	return len(b) == len(s) && hasFoldPrefix(b, s)
}

func hasFoldPrefix[T []byte | string](b T, s string) bool {
	if len(b) < len(s) {
		return false
	}
	for i := 0; i < len(s); i++ {
		if lower(b[i]) != s[i] {
			return false
		}
	}
	return true
}

func foldContains(b []byte, s string) bool { return foldIndex(b, s) >= 0 }

// foldIndex finds s, which is lower case and starts with a letter, in any case.
func foldIndex(b []byte, s string) int {
	up := s[0] &^ 0x20
	for i := 0; i+len(s) <= len(b); i++ {
		if b[i]&^0x20 == up && hasFoldPrefix(b[i:], s) {
			return i
		}
	}
	return -1
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c | 0x20
	}
	return c
}

func isSpace(c byte) bool {
	return c <= ' ' && (c == ' ' || c == '\t' || c == '\n' || c == '\f' || c == '\r')
}

func isLetter(c byte) bool { c |= 0x20; return 'a' <= c && c <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

// trim cuts HTML's white space off both ends.
func trim(b []byte) []byte {
	for len(b) > 0 && isSpace(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && isSpace(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}
