package rewrite

import "math/bits"

// judgeLink judges a link for everything its rel makes a browser load.
func (w *Writer) judgeLink() verdict {
	href, hasHref := w.t.get(attrHref)
	kinds := w.linkKinds()
	for left := kinds; left != 0; left &= left - 1 {
		k := Kind(bits.TrailingZeros32(left))
		if hasHref && w.askValue(k, href) == Withhold {
			return removed
		}
		for _, a := range w.t.attrs {
			if (a.id == attrLazyHref || a.id == attrLazyURL) && w.askValue(k, a) == Withhold {
				return removed
			}
		}
	}
	if a, ok := w.t.get(attrImagesrcset); ok && kinds != 0 && !w.judgeSrcset(a, use{kind: Image}) {
		return removed
	}
	return kept
}

// linkKinds gives what a link's rel tokens stand for, bit = Kind.
func (w *Writer) linkKinds() (kinds uint32) {
	w.plain = append(w.plain[:0], w.attrValue(attrRel)...)
	for rest := w.plain; ; {
		var token []byte
		token, rest = cutToken(rest)
		if len(token) == 0 {
			return kinds
		}
		switch k := relKind(token); {
		case k != 0:
			kinds |= 1 << k
		case foldEqual(token, "preload"):
			kinds |= 1 << preloadKind(trim(w.attrValue(attrAs)))
		}
	}
}

// cutToken cuts the first word off s.
func cutToken(s []byte) (token, rest []byte) {
	for len(s) > 0 && isSpace(s[0]) {
		s = s[1:]
	}
	for i, c := range s {
		if isSpace(c) {
			return s[:i], s[i:]
		}
	}
	return s, nil
}

func relKind(token []byte) Kind {
	for k, names := range rels {
		for _, name := range names {
			if foldEqual(token, name) {
				return Kind(k)
			}
		}
	}
	return 0
}

var rels = [...][]string{
	Script:   {"modulepreload", "import"},
	Style:    {"stylesheet"},
	Icon:     {"icon", "apple-touch-icon", "apple-touch-icon-precomposed", "apple-touch-startup-image", "mask-icon", "fluid-icon", "manifest"},
	Hint:     {"dns-prefetch", "preconnect"},
	Prefetch: {"prefetch", "prerender", "subresource", "compression-dictionary"},
}

// preloadKind gives what a preload is for.
func preloadKind(as []byte) Kind {
	for k, names := range preloads {
		for _, name := range names {
			if foldEqual(as, name) {
				return Kind(k)
			}
		}
	}
	return Prefetch
}

var preloads = [...][]string{
	Script: {"script", "worker", "sharedworker", "serviceworker", "audioworklet", "paintworklet", "json"},
	Frame:  {"frame", "iframe", "document", "object", "embed"},
	Image:  {"image"},
	Media:  {"audio", "video", "track"},
	Style:  {"style"},
	Font:   {"font"},
}
