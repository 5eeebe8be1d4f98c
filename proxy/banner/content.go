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

// contents has no address that is the frame itself, with one exception: what
// Google calls the public address of a calendar.
func contents() []content {
	return []content{
		{"youtube.com", false, youtube},
		{"youtube-nocookie.com", false, youtube},
		{"player.vimeo.com", false, vimeo},
		{"vimeo.com", false, cutEnd("/embed")},
		{"dailymotion.com", false, swap("/embed/video/", "https://www.dailymotion.com/video/")},
		{"geo.dailymotion.com", false, parameter("video", "https://www.dailymotion.com/video/")},
		{"player.twitch.tv", false, twitch},
		{"open.spotify.com", false, swap("/embed/", "https://open.spotify.com/")},
		{"embed.podcasts.apple.com", false, podcast},
		{"w.soundcloud.com", false, soundcloud},
		{"typeform.com", true, without("typeform-")},
		{"eventbrite.com", false, eventbrite},
		{"eventbrite.co.uk", false, eventbrite},
		{"flipcause.com", true, flipcause},
		{"lglforms.com", true, same},
		{"littlegreenlight.com", true, same},
		{"donorbox.org", false, swap("/embed/", "https://donorbox.org/")},
		{"givebutter.com", false, swap("/embed/c/", "https://givebutter.com/")},
		{"zeffy.com", false, swap("/embed/", "https://www.zeffy.com/")},
		{"google.com", false, googleMaps},
		{"maps.google.com", false, googleMaps},
		{"docs.google.com", false, googleDocs},
		{"drive.google.com", false, cutEnd("/preview")},
		{"calendar.google.com", false, calendar},
		{"openstreetmap.org", false, openStreetMap},
		{"calendly.com", false, without("embed_")},
		{"airtable.com", false, swap("/embed/", "https://airtable.com/")},
		{"codepen.io", false, codepen},
		{"form.jotform.com", false, same},
		{"scribd.com", false, scribd},
		{"interfaces.zapier.com", false, same},
	}
}

// same is for frames that are pages of their own, unless their path says that they
// are made for frames.
func same(u *url.URL) string {
	for part := range strings.SplitSeq(u.Path, "/") {
		if part == "embed" || part == "widget" || part == "iframe" {
			return ""
		}
	}
	link := *u
	link.Scheme, link.User, link.Fragment, link.RawFragment = "https", nil, "", ""
	return link.String()
}

// without leaves out the parameters whose names start with a prefix: they tell a
// page that it is in a frame.
func without(prefix string) func(*url.URL) string {
	return func(u *url.URL) string {
		link, query := *u, u.Query()
		for name := range query {
			if strings.HasPrefix(name, prefix) {
				query.Del(name)
			}
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

// cutEnd leaves out the end of the path and the parameters.
func cutEnd(end string) func(*url.URL) string {
	return func(u *url.URL) string {
		return same(&url.URL{Host: u.Host, Path: strings.TrimSuffix(u.Path, end)})
	}
}

// parameter puts the id that a parameter has behind an address.
func parameter(name, address string) func(*url.URL) string {
	return func(u *url.URL) string {
		if id := u.Query().Get(name); identifier.MatchString(id) {
			return address + id
		}
		return ""
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
