package rewrite

import "bytes"

// useOf says what a browser, or a script that loads lazily, does with an
// attribute of the tag just scanned.
func (w *Writer) useOf(id attrID, foreign bool) use {
	u := use{}
	if !foreign {
		u = w.useOfHTML(id)
	} else {
		u = useOfForeign(w.t.tag, id)
	}
	if u.form != none {
		return u
	}
	switch id {
	case attrStyle:
		return use{Image, css, attribute}
	case attrBackground, attrLazyURL:
		return use{Image, one, attribute}
	case attrLazySrcset:
		return use{Image, candidates, attribute}
	case attrLazyCSS:
		return use{Image, cssOrURL, attribute}
	case attrAttributionsrc:
		return use{Beacon, list, attribute}
	}
	return use{}
}

func (w *Writer) useOfHTML(id attrID) use {
	switch w.t.tag {
	case tagImg, tagImage, tagAmpImg, tagAmpAnim, tagAmpPixel:
		return w.useOfImage(id)
	case tagIframe, tagFrame, tagEmbed, tagPortal, tagFencedframe, tagAmpIframe, tagAmpVideoIframe:
		return useOfFrame(id, attrSrc)
	case tagObject:
		return useOfFrame(id, attrData)
	case tagVideo, tagAudio, tagAmpVideo, tagAmpAudio:
		return useOfMedia(id)
	case tagSource:
		return useOfSource(id)
	case tagTrack, tagBgsound:
		if id == attrSrc || id == attrLazyURL {
			return use{Media, one, whole}
		}
	case tagInput:
		if id == attrSrc && foldEqual(trim(w.attrValue(attrType)), "image") {
			return use{Image, one, whole}
		}
	case tagParam:
		if id == attrValue && isURLParam(w.attrValue(attrName)) {
			return use{Frame, one, whole}
		}
	case tagA, tagArea:
		if id == attrPing {
			return use{Beacon, list, attribute}
		}
	}
	return use{}
}

func (w *Writer) useOfImage(id attrID) use {
	switch id {
	case attrSrc, attrLazyURL:
		return use{w.imageKind(), one, whole}
	case attrSrcset, attrLazySrcset:
		return use{w.imageKind(), candidates, attribute}
	}
	return use{}
}

func (w *Writer) imageKind() Kind {
	if w.isPixel() {
		return Pixel
	}
	return Image
}

func useOfFrame(id, src attrID) use {
	switch id {
	case src, attrLazyURL:
		return use{Frame, one, shown}
	case attrSrcdoc:
		return use{Frame, document, shown}
	}
	return use{}
}

func useOfMedia(id attrID) use {
	switch id {
	case attrSrc, attrLazyURL:
		return use{Media, one, shown}
	case attrPoster:
		return use{Image, one, attribute}
	}
	return use{}
}

func useOfSource(id attrID) use {
	switch id {
	case attrSrc, attrLazyURL:
		return use{Media, one, whole}
	case attrSrcset, attrLazySrcset:
		return use{Image, candidates, whole}
	}
	return use{}
}

// isURLParam reports whether a param of this name tells an object what to load.
func isURLParam(name []byte) bool {
	for _, s := range [...]string{"movie", "src", "url", "data", "filename", "code", "href", "flashvars"} {
		if foldEqual(name, s) {
			return true
		}
	}
	return false
}

// useOfForeign knows svg; nothing in math loads anything.
func useOfForeign(t tag, id attrID) use {
	switch id {
	case attrHref, attrXlinkHref:
		if t != tagA {
			return use{Image, one, attribute}
		}
	case attrSrc, attrData, attrPoster:
		return use{Image, one, attribute}
	case attrSrcset, attrImagesrcset:
		return use{Image, candidates, attribute}
	case attrPing:
		return use{Beacon, list, attribute}
	case attrTo, attrFrom, attrBy, attrValues:
		if t == tagAnimate || t == tagSet || t == tagAnimateTransform {
			return use{Image, semicolons, attribute}
		}
	case attrClipPath, attrCursor, attrFill, attrFilter, attrMarker, attrMarkerEnd, attrMarkerMid, attrMarkerStart, attrMask, attrStroke:
		return use{Image, css, attribute}
	}
	return use{}
}

// isPixel reports whether the image just scanned is made not to be seen.
func (w *Writer) isPixel() bool {
	if w.tree.noscript || w.t.tag == tagAmpPixel {
		return true
	}
	if tiny(w.attrValue(attrWidth)) && tiny(w.attrValue(attrHeight)) {
		return true
	}
	return w.t.seen>>attrStyle&1 != 0 && hides(w.attrValue(attrStyle))
}

// tiny reports whether a length is 0 or 1 pixel.
func tiny(v []byte) bool {
	v = trim(v)
	if len(v) == 0 || v[0] != '0' && v[0] != '1' {
		return false
	}
	rest := v[1:]
	return len(rest) == 0 || !isDigit(rest[0]) && rest[0] != '%' && (rest[0] != '.' || v[0] == '0')
}

// hides reports whether a style attribute makes an image invisible.
func hides(style []byte) bool {
	wide, high := false, false
	for len(style) > 0 {
		decl, rest, _ := bytes.Cut(style, []byte(";"))
		style = rest
		name, v, _ := bytes.Cut(decl, []byte(":"))
		name, v = trim(name), trim(v)
		switch {
		case foldEqual(name, "display") && hasFoldPrefix(v, "none"), foldEqual(name, "visibility") && hasFoldPrefix(v, "hidden"):
			return true
		case foldEqual(name, "width") && tiny(v):
			wide = true
		case foldEqual(name, "height") && tiny(v):
			high = true
		}
	}
	return wide && high
}
