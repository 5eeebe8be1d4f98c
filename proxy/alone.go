package proxy

import (
	"net/http"
	"strings"
)

// leftAlone reports whether a request is for a part of the site whose pages are
// not edited: WordPress's own administration, the editors that show a page to
// its logged-in author, and what the site's configuration excludes. Cookies and
// headers are filtered there too.
func (s *site) leftAlone(r *http.Request) bool {
	for _, path := range s.excluded {
		if under(r.URL.Path, path) {
			return true
		}
	}
	return isEditor(r.URL.RawQuery) && loggedIn(r.Header["Cookie"])
}

// under reports whether path is prefix or lies below it.
func under(path, prefix string) bool {
	rest, ok := strings.CutPrefix(path, strings.TrimSuffix(prefix, "/"))
	return ok && (rest == "" || rest[0] == '/')
}

// isEditor knows the query parameters by which WordPress and its page builders
// open a page for editing or preview.
func isEditor(query string) bool {
	for pair := range strings.SplitSeq(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		switch name {
		case "preview", "preview_id", "customize_changeset_uuid", "customize_theme",
			"elementor-preview", "fl_builder", "et_fb", "vc_editable", "ct_builder",
			"bricks", "brizy-edit", "brizy-edit-iframe", "tve", "oxygen_iframe":
			return true
		}
	}
	return false
}

func loggedIn(lines []string) bool {
	for _, line := range lines {
		for pair := range strings.SplitSeq(line, ";") {
			if strings.HasPrefix(strings.TrimLeft(pair, " "), "wordpress_logged_in_") {
				return true
			}
		}
	}
	return false
}
