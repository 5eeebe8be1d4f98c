package rewrite

// judgeSpecial sees to the elements whose attributes only together say what a
// browser does with them.
func (w *Writer) judgeSpecial(foreign bool) verdict {
	if foreign {
		return kept
	}
	switch w.t.tag {
	case tagHtml:
		if lang := w.attrValue(attrLang); len(lang) > 0 && !w.sub.inside {
			w.rules.Language(lang)
		}
	case tagBase:
		return w.judgeBase()
	case tagLink:
		return w.judgeLink()
	case tagMeta:
		return w.judgeMeta()
	default:
		if u, ok := ampURL(w.t.tag); ok {
			return w.judgeAMP(u)
		}
	}
	return kept
}

// judgeBase tells the rules what URLs resolve against. In a srcdoc that would
// be the wrong page, so there it is taken for a frame.
func (w *Writer) judgeBase() verdict {
	a, ok := w.t.get(attrHref)
	switch {
	case !ok || w.based || w.tree.templates > 0:
		return kept
	case w.sub.inside && w.askValue(Frame, a) == Withhold:
		return removed
	case !w.sub.inside:
		w.rules.Base(w.valueOf(a))
	}
	w.based = true
	return kept
}

func (w *Writer) judgeMeta() verdict {
	name := trim(w.attrValue(attrHTTPEquiv))
	content, _ := w.t.get(attrContent)
	switch {
	case foldEqual(name, "refresh"):
		url, ok := refreshURL(w.valueOf(content))
		if ok && w.ask(Refresh, content, url) == Withhold {
			return removed
		}
	case w.t.seen>>attrCharset&1 != 0:
		return w.judgeCharset(w.attrValue(attrCharset))
	case foldEqual(name, "content-type"):
		if label, ok := charsetOf(w.valueOf(content)); ok {
			return w.judgeCharset(label)
		}
	}
	return kept
}

// refreshURL takes the URL out of "5; url='x'". HTML Standard 4.2.5.3, the
// shared declarative refresh steps.
func refreshURL(s []byte) ([]byte, bool) {
	s = trim(s)
	for len(s) > 0 && (isDigit(s[0]) || s[0] == '.') {
		s = s[1:]
	}
	s = trim(s)
	if len(s) > 0 && (s[0] == ';' || s[0] == ',') {
		s = trim(s[1:])
	}
	if hasFoldPrefix(s, "url") {
		if rest := trim(s[3:]); len(rest) > 0 && rest[0] == '=' {
			s = trim(rest[1:])
		}
	}
	if len(s) > 0 && (s[0] == '"' || s[0] == '\'') {
		quote := s[0]
		s = s[1:]
		for i, c := range s {
			if c == quote {
				s = s[:i]
				break
			}
		}
	}
	return s, len(s) > 0
}

// ampURL gives what an AMP component loads by itself. Its runtime is a script
// of the AMP project; whom it calls shows only in the name.
func ampURL(t tag) (url string, ok bool) {
	if t <= lastPlain {
		return "", false
	}
	url, ok = ampURLs[elements[t].name]
	return url, ok
}

var ampURLs = map[string]string{
	"amp-ad":                "",
	"amp-analytics":         "",
	"amp-auto-ads":          "",
	"amp-embed":             "",
	"amp-sticky-ad":         "",
	"amp-brightcove":        "https://players.brightcove.net/",
	"amp-dailymotion":       "https://www.dailymotion.com/embed/video/",
	"amp-facebook":          "https://connect.facebook.net/en_US/sdk.js",
	"amp-facebook-comments": "https://connect.facebook.net/en_US/sdk.js",
	"amp-facebook-like":     "https://connect.facebook.net/en_US/sdk.js",
	"amp-facebook-page":     "https://connect.facebook.net/en_US/sdk.js",
	"amp-gist":              "https://gist.github.com/",
	"amp-instagram":         "https://www.instagram.com/embed.js",
	"amp-jwplayer":          "https://content.jwplatform.com/players/",
	"amp-pinterest":         "https://assets.pinterest.com/js/pinit.js",
	"amp-reddit":            "https://embed.redditmedia.com/",
	"amp-soundcloud":        "https://w.soundcloud.com/player/",
	"amp-tiktok":            "https://www.tiktok.com/embed/v2/",
	"amp-twitter":           "https://platform.twitter.com/widgets.js",
	"amp-vimeo":             "https://player.vimeo.com/video/",
	"amp-wistia-player":     "https://fast.wistia.net/embed/iframe/",
	"amp-youtube":           "https://www.youtube.com/embed/",
}

// judgeAMP asks about an AMP component: those that only report or advertise
// are a beacon to their config, the others a frame.
func (w *Writer) judgeAMP(url string) verdict {
	if url != "" {
		w.value = append(w.value[:0], url...)
		if w.askURL(Frame, "", w.value) == Withhold {
			return w.lose(shown)
		}
		return kept
	}
	name, target := "", []byte(nil)
	for _, id := range [...]attrID{attrConfig, attrSrc} {
		if v := w.attrValue(id); len(v) > 0 && target == nil {
			name, target = attrNames[id], v
		}
	}
	if w.askURL(Beacon, name, target) == Withhold {
		return w.lose(whole)
	}
	return kept
}
