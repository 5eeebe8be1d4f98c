package banner

import (
	"net/url"
	"regexp"
	"strings"
)

// ContentLink gives the address at which a person finds what an embedded frame
// shows, or "" where none is known: the page of a video instead of its player.
func ContentLink(frame string) string {
	u, err := url.Parse(frame)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	host := strings.TrimPrefix(strings.ToLower(u.Hostname()), "www.")
	for _, c := range contents() {
		if host == c.host || c.subdomains && strings.HasSuffix(host, "."+c.host) {
			if link := c.link(u); link != "" {
				return link
			}
		}
	}
	return ""
}

// A content says where the frames of a host lead to.
type content struct {
	host       string
	subdomains bool
	link       func(*url.URL) string
}

func contents() []content {
	return []content{
		{"youtube.com", false, youtube},
		{"youtube-nocookie.com", false, youtube},
		{"player.vimeo.com", false, vimeo},
		{"vimeo.com", false, same},
		{"dailymotion.com", false, swap("/embed/video/", "https://www.dailymotion.com/video/")},
		{"open.spotify.com", false, swap("/embed/", "https://open.spotify.com/")},
		{"w.soundcloud.com", false, soundcloud},
		{"typeform.com", true, same},
		{"eventbrite.com", false, eventbrite},
		{"eventbrite.co.uk", false, eventbrite},
		{"flipcause.com", true, same},
		{"lglforms.com", true, same},
		{"littlegreenlight.com", true, same},
		{"google.com", false, googleMaps},
		{"maps.google.com", false, googleMaps},
		{"docs.google.com", false, without("embedded", "widget", "headers")},
		{"calendar.google.com", false, same},
		{"calendly.com", false, without("embed_domain", "embed_type")},
		{"airtable.com", false, swap("/embed/", "https://airtable.com/")},
		{"codepen.io", false, codepen},
		{"interfaces.zapier.com", false, same},
	}
}

// same is for frames that are pages of their own.
func same(u *url.URL) string {
	link := *u
	link.Scheme, link.User, link.Fragment, link.RawFragment = "https", nil, "", ""
	return link.String()
}

func without(params ...string) func(*url.URL) string {
	return func(u *url.URL) string {
		link, query := *u, u.Query()
		for _, p := range params {
			query.Del(p)
		}
		link.RawQuery = query.Encode()
		return same(&link)
	}
}

// swap exchanges the start of the path for another address.
func swap(path, address string) func(*url.URL) string {
	return func(u *url.URL) string {
		rest, ok := strings.CutPrefix(u.EscapedPath(), path)
		if !ok || rest == "" {
			return ""
		}
		return address + rest
	}
}

// identifier is what ids of videos, events and pens are made of.
var identifier = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

func youtube(u *url.URL) string {
	id, ok := strings.CutPrefix(u.Path, "/embed/")
	list := u.Query().Get("list")
	switch {
	case !ok:
		return ""
	case identifier.MatchString(list) && (id == "videoseries" || id == ""):
		return "https://www.youtube.com/playlist?list=" + list
	case !identifier.MatchString(id):
		return ""
	}
	query := url.Values{"v": {id}}
	if start := u.Query().Get("start"); identifier.MatchString(start) {
		query.Set("t", start)
	}
	return "https://www.youtube.com/watch?" + query.Encode()
}

func vimeo(u *url.URL) string {
	id, ok := strings.CutPrefix(u.Path, "/video/")
	if !ok || !identifier.MatchString(id) {
		return ""
	}
	if h := u.Query().Get("h"); identifier.MatchString(h) {
		id += "/" + h // an unlisted video
	}
	return "https://vimeo.com/" + id
}

// soundcloud players name what they play in a parameter.
func soundcloud(u *url.URL) string {
	track, err := url.Parse(u.Query().Get("url"))
	if err != nil || track.Scheme != "https" || track.Host != "soundcloud.com" {
		return ""
	}
	return track.String()
}

func eventbrite(u *url.URL) string {
	if id := u.Query().Get("eid"); identifier.MatchString(id) {
		return "https://www.eventbrite.com/e/" + id
	}
	if strings.HasPrefix(u.Path, "/e/") {
		return same(u)
	}
	return ""
}

func codepen(u *url.URL) string {
	user, rest, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/")
	pen, ok := strings.CutPrefix(rest, "embed/")
	pen = strings.TrimPrefix(pen, "preview/")
	if !ok || !identifier.MatchString(user) || !identifier.MatchString(pen) {
		return ""
	}
	return "https://codepen.io/" + user + "/pen/" + pen
}

// place finds longitude and latitude in the pb parameter of a map.
var place = regexp.MustCompile(`!2d(-?[0-9.]+)!3d(-?[0-9.]+)`)

func googleMaps(u *url.URL) string {
	if !strings.HasPrefix(u.Path, "/maps") {
		return ""
	}
	query := u.Query()
	q := query.Get("q")
	if at := place.FindStringSubmatch(query.Get("pb")); at != nil {
		q = at[2] + "," + at[1]
	}
	if strings.HasPrefix(u.Path, "/maps/d/") {
		return same(&url.URL{Host: "www.google.com", Path: "/maps/d/viewer", RawQuery: url.Values{"mid": query["mid"]}.Encode()})
	}
	if q == "" {
		return ""
	}
	return "https://www.google.com/maps/search/?" + url.Values{"api": {"1"}, "query": {q}}.Encode()
}
