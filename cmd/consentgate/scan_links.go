package main

import (
	"bytes"
	"net/url"
	"path"
	"slices"
	"strings"

	"golang.org/x/net/html"
	"golang.org/x/net/html/atom"
)

// linksOf lists where a page leads, in its order: links and frames, without
// those that ask robots not to follow.
func linksOf(page *url.URL, text []byte) []*url.URL {
	var found []*url.URL
	base := page
	tokens := html.NewTokenizer(bytes.NewReader(text))
	for {
		switch tokens.Next() {
		case html.ErrorToken:
			return found
		case html.StartTagToken, html.SelfClosingTagToken:
			token := tokens.Token()
			ref, ok := reference(token)
			if !ok {
				continue
			}
			u, err := base.Parse(strings.TrimSpace(ref))
			switch {
			case err != nil:
			case token.DataAtom == atom.Base:
				base = u
			default:
				found = append(found, u)
			}
		}
	}
}

// reference is what an element leads to.
func reference(t html.Token) (ref string, ok bool) {
	want := "href"
	switch t.DataAtom {
	case atom.A, atom.Area, atom.Base:
	case atom.Iframe, atom.Frame:
		want = "src"
	default:
		return "", false
	}
	for _, a := range t.Attr {
		switch {
		case a.Key == want:
			ref, ok = a.Val, true
		case a.Key == "rel" && slices.Contains(strings.Fields(strings.ToLower(a.Val)), "nofollow"):
			return "", false
		}
	}
	return ref, ok
}

// harmless reports whether a link can be followed without doing anything: it
// does not log out, buy, search or administer, and is no file.
func harmless(u *url.URL) bool {
	p := strings.ToLower(u.Path)
	for segment := range strings.SplitSeq(p, "/") {
		switch segment {
		case "wp-admin", "wp-login.php", "wp-json", "wp-content", "wp-includes", "wp-cron.php", "xmlrpc.php",
			"logout", "log-out", "signout", "sign-out", "logoff", "customer-logout",
			"cart", "add-to-cart", "checkout", "feed", "trackback", "embed", "cgi-bin", "cdn-cgi", "_consent":
			return false
		}
	}
	if ext := path.Ext(p); ext != "" && !slices.Contains([]string{".html", ".htm", ".php", ".xhtml", ".asp", ".aspx", ".jsp"}, ext) && len(ext) <= 6 {
		return false
	}
	for key := range u.Query() {
		key = strings.ToLower(key)
		switch {
		case strings.Contains(key, "nonce"), strings.Contains(key, "cart"), strings.Contains(key, "token"),
			strings.Contains(key, "logout"), strings.Contains(key, "preview"), strings.Contains(key, "delete"), strings.Contains(key, "remove"):
			return false
		}
		switch key {
		case "action", "s", "replytocom", "share", "unsubscribe", "add_to_wishlist", "like_comment", "redirect_to", "orderby", "ical", "outlook-ical":
			return false
		}
	}
	return true
}

// tidy is the form of a URL by which pages are told apart: no fragment, and no
// parameters of campaigns.
func tidy(u *url.URL) *url.URL {
	t := *u
	t.Fragment, t.RawFragment, t.User = "", "", nil
	query := t.Query()
	for key := range query {
		if k := strings.ToLower(key); strings.HasPrefix(k, "utm_") || k == "fbclid" || k == "gclid" || k == "ref" {
			query.Del(key)
		}
	}
	t.RawQuery = query.Encode()
	if t.Path == "" {
		t.Path = "/"
	}
	return &t
}
