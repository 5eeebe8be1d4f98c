package demo

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
)

// A standIn answers in place of a vendor's server: the first of a host whose
// path is a prefix of the request's.
type standIn struct {
	service string // id in the catalog
	name    string
	host    string
	path    string
	answer  kind
	cookies []string // name=value, as the real one names them
	then    string   // JavaScript: what it does next
}

// A kind is what a browser asked for.
type kind string

const (
	script kind = "script"
	frame  kind = "frame"
	style  kind = "style sheet"
	image  kind = "picture"
	pixel  kind = "pixel"
	beacon kind = "beacon"
)

// standIns lists them by vendor, in the order of the privacy policy. What a
// script does next is what the real one does: it reports the visit, or puts
// its frame into the page.
func standIns() []standIn {
	return []standIn{
		{"cloudflare-web-analytics", "Cloudflare Web Analytics", "static.cloudflareinsights.com", "/", script, nil,
			`navigator.sendBeacon("https://cloudflareinsights.com/cdn-cgi/rum", "{}")`},
		{"cloudflare-web-analytics", "Cloudflare Web Analytics", "cloudflareinsights.com", "/", beacon, nil, ""},

		{"eventbrite", "Eventbrite", "www.eventbrite.com", "/static/", script, nil,
			`window.EBWidgets = {createWidget: function (o) { embed(document.getElementById(o.iframeContainerId), "https://www.eventbrite.com/checkout-external?eid=" + o.eventId, o.iframeContainerHeight) }}`},
		{"eventbrite", "Eventbrite", "www.eventbrite.com", "/", frame, []string{"mgref=eafil", "stableId=7f3d"}, ""},

		{"flipcause", "Flipcause", "www.flipcause.com", "/widget_assets/", script, nil, ""},
		{"flipcause", "Flipcause", "www.flipcause.com", "/", frame, []string{"PHPSESSID=f1ip"}, ""},

		{"google-tag-manager", "Google Tag Manager", "www.googletagmanager.com", "/gtm.js", script, nil, ""},
		{"google-tag-manager", "Google Tag Manager", "www.googletagmanager.com", "/ns.html", frame, nil, ""},
		{"google-analytics-4", "Google Analytics 4", "www.googletagmanager.com", "/gtag/", script,
			[]string{"_ga=GA1.1.417055.1732400000", "_ga_T1DEP00L01=GS1.1.1732400000.1.0.1732400000.0.0.0"},
			`navigator.sendBeacon("https://www.google-analytics.com/g/collect?v=2&tid=G-T1DEP00L01&en=page_view&dt=" + encodeURIComponent(document.title))`},
		{"google-analytics-4", "Google Analytics 4", "www.google-analytics.com", "/", beacon, nil, ""},
		{"google-fonts", "Google Fonts", "fonts.googleapis.com", "/", style, nil, ""},
		{"google-fonts", "Google Fonts", "fonts.gstatic.com", "/", beacon, nil, ""},
		{"google-maps", "Google Maps", "www.google.com", "/maps/", frame, []string{"NID=521"}, ""},
		{"youtube", "YouTube", "www.youtube.com", "/", frame, []string{"YSC=yt5c", "VISITOR_INFO1_LIVE=v1s1t0r"}, ""},

		{"little-green-light", "Little Green Light", "secure.lglforms.com", "/form_engine/s/t_", script, nil,
			`embed(here, "https://secure.lglforms.com/form_engine/s/T1DEP00LPLEDGE", 420)`},
		{"little-green-light", "Little Green Light", "secure.lglforms.com", "/", frame, nil, ""},

		{"mailchimp-connected-site", "Mailchimp pop-up", "chimpstatic.com", "/", script, []string{"mcform_shown=1"},
			`popup("A pop-up of Mailchimp: 10 % off your first limpet!")`},
		{"mailchimp-form", "Mailchimp form", "cdn-images.mailchimp.com", "/", style, nil, ""},
		{"mailchimp-form", "Mailchimp form", "s3.amazonaws.com", "/downloads.mailchimp.com/", script, nil, ""},
		{"mailchimp-form", "Mailchimp form", "opentidepool.us14.list-manage.com", "/", frame, nil, ""},

		{"meta-pixel", "Facebook pixel", "connect.facebook.net", "/", script, []string{"_fbp=fb.1.1732400000000.417"},
			`new Image().src = "https://www.facebook.com/tr?id=100000000000001&ev=PageView&dl=" + encodeURIComponent(location.href)`},
		{"meta-pixel", "Facebook pixel", "www.facebook.com", "/tr", pixel, []string{"fr=0t1de"}, ""},

		{"typeform", "Typeform", "embed.typeform.com", "/", script, nil,
			`document.querySelectorAll("[data-tf-widget]").forEach(function (el) { embed(el, "https://form.typeform.com/to/" + el.dataset.tfWidget, 420) })`},
		{"typeform", "Typeform", "form.typeform.com", "/", frame, []string{"attribution_user_id=tf-417", "tf_respondent_cc=1"}, ""},

		{"jetpack-stats", "Jetpack Stats", "stats.wp.com", "/", script, []string{"tk_ai=jp417"},
			`new Image().src = "https://pixel.wp.com/g.gif?v=ext&blog=20480001&post=" + encodeURIComponent(location.pathname)`},
		{"jetpack-stats", "Jetpack Stats", "pixel.wp.com", "/", pixel, nil, ""},
		{"gravatar", "Gravatar", "secure.gravatar.com", "/", image, nil, ""},
		{"wp-engine", "WP Engine", "opentidepool.wpengine.com", "/", image, nil, ""},

		{"zapier", "Zapier", "interfaces.zapier.com", "/", frame, []string{"zapidentity=z417"}, ""},
	}
}

// standIn records the call and answers it.
func (d *Demo) standIn(w http.ResponseWriter, r *http.Request, host string) {
	s, ok := d.lookup(host, r.URL.Path)
	if !ok {
		http.NotFound(w, r)
		return
	}
	visit := visitOf(r)
	d.calls.add(call{Visit: visit, Service: s.service, Name: s.name, Kind: s.answer, Host: host,
		Path: r.URL.Path, Sets: cookieNames(s.cookies), Method: r.Method})

	h := w.Header()
	h.Set("Cache-Control", "no-store") // so that every page view is seen
	h.Set("Access-Control-Allow-Origin", "*")
	if s.answer != script {
		for _, c := range s.cookies {
			h.Add("Set-Cookie", c+"; Path=/; Max-Age=31536000; SameSite=None; Secure")
		}
	}
	switch s.answer {
	case script:
		h.Set("Content-Type", "text/javascript; charset=utf-8")
		w.Write(d.script(s))
	case frame:
		h.Set("Content-Type", "text/html; charset=utf-8")
		w.Write(framePage(s))
	case style:
		h.Set("Content-Type", "text/css; charset=utf-8")
		w.Write(d.styleSheet(s, visit))
	case image:
		h.Set("Content-Type", "image/svg+xml")
		w.Write(picture(s))
	case pixel:
		h.Set("Content-Type", "image/gif")
		w.Write(gif())
	case beacon:
		w.WriteHeader(http.StatusNoContent)
	}
}

func (d *Demo) lookup(host, path string) (standIn, bool) {
	for _, s := range d.vendors[host] {
		if strings.HasPrefix(path, s.path) {
			return s, true
		}
	}
	return standIn{}, false
}

// visitOf says from which of the two visits a call came: by the page that the
// browser names, or that a stand-in's own style sheet passed on.
func visitOf(r *http.Request) string {
	page := r.Header.Get("Referer")
	if page == "" {
		page = r.Header.Get("Origin")
	}
	if u, err := url.Parse(page); err == nil && (u.Hostname() == With || u.Hostname() == Without) {
		return u.Hostname()
	}
	if from := r.URL.Query().Get("demo_from"); from == With || from == Without {
		return from
	}
	return ""
}

func cookieNames(cookies []string) []string {
	names := make([]string, len(cookies))
	for i, c := range cookies {
		names[i], _, _ = strings.Cut(c, "=")
	}
	return names
}

//go:embed standins/announce.js
var announceJS string

// script announces on the page who was called, sets the cookies there, and goes
// on with what the real one does next.
func (d *Demo) script(s standIn) []byte {
	name, _ := json.Marshal(s.name)
	cookies, _ := json.Marshal(s.cookies)
	return fmt.Appendf(nil, "(function () {\n%s\nannounce(%s, %s);\n%s;\n})();\n",
		announceJS, name, cookies, d.local.Replace(s.then))
}

func (d *Demo) styleSheet(s standIn, visit string) []byte {
	css := "/* The stand-in of " + s.name + " was called. */\n"
	if s.service == "google-fonts" {
		css += `@font-face { font-family: Fraunces; src: url("https://fonts.gstatic.com/s/fraunces.woff2?demo_from=` + visit + `") }` + "\n"
	}
	return []byte(d.local.Replace(css))
}

func framePage(s standIn) []byte {
	says := "It was called."
	if len(s.cookies) > 0 {
		says = "It was called, and set " + strings.Join(cookieNames(s.cookies), " and ") + "."
	}
	return fmt.Appendf(nil, `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>%[1]s (stand-in)</title>
<style>
  body { margin: 0; min-height: 100vh; display: grid; place-content: center; text-align: center; font: 1rem/1.5 system-ui, sans-serif;
    color: #5b2312; background: repeating-linear-gradient(45deg, #fdeee8 0 16px, #fbe3d9 16px 32px); }
  strong { display: block; font-size: 1.4rem; }
</style></head>
<body><p>This is the stand-in of <strong>%[1]s</strong> %[2]s</p></body></html>
`, html.EscapeString(s.name), html.EscapeString(says))
}

// picture is the foundation's own for its host, and a face for everybody else.
func picture(s standIn) []byte {
	if s.service == "wp-engine" {
		svg, err := siteFiles.ReadFile("site/pictures/tidepool.svg")
		if err == nil {
			return svg
		}
	}
	return []byte(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 96"><rect width="96" height="96" fill="#fbe3d9"/>` +
		`<circle cx="48" cy="38" r="18" fill="#d9502e"/><path d="M12 96c0-26 16-36 36-36s36 10 36 36z" fill="#d9502e"/></svg>`)
}

// gif is one transparent pixel.
func gif() []byte {
	var b bytes.Buffer
	b.WriteString("GIF89a\x01\x00\x01\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff!\xf9\x04\x01\x00\x00\x00\x00,")
	b.WriteString("\x00\x00\x00\x00\x01\x00\x01\x00\x00\x02\x02D\x01\x00;")
	return b.Bytes()
}
