package banner

import (
	"net/url"
	"regexp"
	"strings"
)

// flipcause has a page for each widget, under the same id.
func flipcause(u *url.URL) string {
	rest, ok := strings.CutPrefix(u.EscapedPath(), "/widget/")
	if !ok {
		return same(u)
	}
	id := strings.TrimPrefix(rest, "give_now/")
	if !base64ID.MatchString(id) {
		return ""
	}
	return "https://www.flipcause.com/secure/cause_pdetails/" + id
}

var base64ID = regexp.MustCompile(`^[A-Za-z0-9_-]+(=|%3D){0,2}$`)

// podcast keeps the parameter that names an episode.
func podcast(u *url.URL) string {
	return same(&url.URL{Host: "podcasts.apple.com", Path: u.Path, RawQuery: u.RawQuery})
}

func calendar(u *url.URL) string {
	if u.Path != "/calendar/embed" {
		return ""
	}
	return "https://calendar.google.com/calendar/embed?" + u.Query().Encode()
}

func twitch(u *url.URL) string {
	if link := parameter("channel", "https://www.twitch.tv/")(u); link != "" {
		return link
	}
	video := u.Query()
	video.Set("video", strings.TrimPrefix(video.Get("video"), "v"))
	return parameter("video", "https://www.twitch.tv/videos/")(&url.URL{RawQuery: video.Encode()})
}

func scribd(u *url.URL) string {
	id, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/embeds/"), "/")
	if !strings.HasPrefix(u.Path, "/embeds/") || !identifier.MatchString(id) {
		return ""
	}
	return "https://www.scribd.com/document/" + id
}

// openStreetMap shows the marker of the frame, else the middle of its map.
func openStreetMap(u *url.URL) string {
	lat, lon, ok := strings.Cut(u.Query().Get("marker"), ",")
	if u.Path != "/export/embed.html" || !ok || !degrees.MatchString(lat) || !degrees.MatchString(lon) {
		return ""
	}
	return "https://www.openstreetmap.org/?mlat=" + lat + "&mlon=" + lon + "#map=16/" + lat + "/" + lon
}

var degrees = regexp.MustCompile(`^-?[0-9]{1,3}(\.[0-9]+)?$`)

// googleDocs leads to the published page of forms, texts, tables and slides.
func googleDocs(u *url.URL) string {
	link, query := *u, u.Query()
	for _, name := range []string{"embedded", "widget", "headers", "rm"} {
		query.Del(name)
	}
	link.RawQuery = query.Encode()
	if path, ok := strings.CutSuffix(u.Path, "/embed"); ok {
		link.Path, link.RawPath, link.RawQuery = path+"/pub", "", ""
	}
	return same(&link)
}

// place finds longitude and latitude in the pb parameter of a map.
var place = regexp.MustCompile(`!2d(-?[0-9.]+)!3d(-?[0-9.]+)`)

func googleMaps(u *url.URL) string {
	query := u.Query()
	switch {
	case !strings.HasPrefix(u.Path, "/maps"):
		return ""
	case strings.HasPrefix(u.Path, "/maps/d/"):
		return mapOf("/maps/d/viewer", url.Values{"mid": query["mid"]})
	case query.Has("destination"):
		return mapOf("/maps/dir/", url.Values{"api": {"1"}, "origin": query["origin"], "destination": query["destination"]})
	}
	if at := place.FindStringSubmatch(query.Get("pb")); at != nil {
		return mapOf("/maps/search/", url.Values{"api": {"1"}, "query": {at[2] + "," + at[1]}})
	}
	for _, name := range []string{"q", "center", "location", "ll"} {
		if q := query.Get(name); strings.HasPrefix(q, "place_id:") {
			return mapOf("/maps/place/", url.Values{"q": {q}})
		} else if q != "" {
			return mapOf("/maps/search/", url.Values{"api": {"1"}, "query": {q}})
		}
	}
	return ""
}

func mapOf(path string, query url.Values) string {
	return "https://www.google.com" + path + "?" + query.Encode()
}
