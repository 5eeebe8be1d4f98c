package proxy_test

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"
)

// Where a withheld script would have drawn something, it says what, once for each
// thing, and what stands beside it stays.
func TestScriptsThatDrawHavePlaceholders(t *testing.T) {
	const head = `<!doctype html><html lang="en"><head>`
	for name, c := range map[string]struct {
		page string
		want string // services, and links to the same content
	}{
		"a form": {head + `</head><body><script src="https://secure.lglforms.com/form_engine/s/abc.js"></script>`,
			"little-green-light https://secure.lglforms.com/form_engine/s/abc"},
		"two forms": {head + `</head><body><script src="https://form.jotform.com/jsform/1"></script><script src="https://form.jotform.com/jsform/2"></script>`,
			"jotform https://form.jotform.com/1 jotform https://form.jotform.com/2"},
		"an event": {head + `</head><body><div id="eventbrite-widget-container-123456789"></div><script src="https://www.eventbrite.com/static/widgets/eb_widgets.js"></script>
<script>var done = function () {}; window.EBWidgets.createWidget({widgetType: 'checkout', eventId: '123456789', iframeContainerId: 'eventbrite-widget-container-123456789', onOrderComplete: done});</script>`,
			"eventbrite https://www.eventbrite.com/e/123456789"},
		"three posts": {head + `</head><body>` + strings.Repeat(`<blockquote class="twitter-tweet"><p>Hello</p><a href="https://twitter.com/NumFOCUS/status/1">A day</a></blockquote><script async src="https://platform.twitter.com/widgets.js"></script>`, 3),
			"x-widgets "},
		"a survey by an inline script": {head + `</head><body><div data-tf-live="x"></div><script>(function(){var q,d=document,js=d.createElement('script');js.src="https://embed.typeform.com/next/embed.js";d.body.append(js)})()</script>`,
			"typeform "},
		"a survey with an id": {head + `</head><body><div data-tf-widget="moe6aa" data-tf-opacity="100" style="width:100%;height:500px;"></div><script src="//embed.typeform.com/next/embed.js"></script>`,
			"typeform https://form.typeform.com/to/moe6aa"},
		"a survey with an id that has no page": {head + `</head><body><div data-tf-live="01HABCDEFGHJKMNPQRSTVWXYZ0"></div><script src="//embed.typeform.com/next/embed.js"></script>`,
			"typeform "},
		"an appointment": {head + `</head><body><!-- Calendly inline widget begin --><div class="calendly-inline-widget" data-url="https://calendly.com/numfocus/30min?hide_gdpr_banner=1" style="min-width:320px;height:700px;"></div>
<script type="text/javascript" src="https://assets.calendly.com/assets/external/widget.js" async></script>`,
			"calendly https://calendly.com/numfocus/30min?hide_gdpr_banner=1"},
		"an address of somebody else": {head + `</head><body><div data-url="https://calendly.com.example.net/x"></div><script src="https://assets.calendly.com/assets/external/widget.js" async></script>`,
			"calendly "},
		"a form whose id has no page": {head + `</head><body><script charset="utf-8" type="text/javascript" src="//js.hsforms.net/forms/embed/v2.js"></script><script>hbspt.forms.create({region: "na1", portalId: "1234567", formId: "c9aa1d0e-0000-4000-8000-000000000000"});</script>`,
			"hubspot-forms "},
		"in the head":            {head + `<script src="https://embed.typeform.com/next/embed.js"></script></head><body>`, ""},
		"one that draws nothing": {head + `</head><body><script src="https://static.hotjar.com/c/hotjar-1.js"></script><script src="https://js.stripe.com/v3/"></script><script src="https://widget.example.net/w.js"></script>`, ""},
	} {
		o := newOrigin(t)
		o.page = []byte(c.page + "</body></html>")
		page := body(t, o.gateway(t).get(t, "/", nil))
		if got := boxes(page); got != c.want {
			t.Errorf("%s: %q, want %q\n%s", name, got, c.want, page)
		}
		if strings.Count(page, "https://twitter.com/NumFOCUS/status/1") != strings.Count(c.page, "https://twitter.com/NumFOCUS/status/1") {
			t.Errorf("%s: a link of the page's own is gone", name)
		}
		if (c.want != "") != strings.Contains(page, `form="cg-once"`) {
			t.Errorf("%s: loading it once is offered, or not", name)
		}
	}
}

var (
	boxStart = regexp.MustCompile(`<span class="cg-placeholder" data-service="([^"]*)"`)
	boxLink  = regexp.MustCompile(`<span class="cg-more"><a href="([^"]*)"[^>]*>Open it in a new tab`)
)

func boxes(page string) string {
	var list []string
	for _, box := range placeholders.FindAllString(page, -1) {
		link := ""
		if m := boxLink.FindStringSubmatch(box); m != nil {
			link = m[1]
		}
		list = append(list, boxStart.FindStringSubmatch(box)[1]+" "+link)
	}
	return strings.Join(list, " ")
}

// The site's own page about cookies has the declaration in it, in the page's language,
// for whoever looks at it, and in parts of pages too.
func TestDeclarationInAPage(t *testing.T) {
	o := newOrigin(t)
	o.page = []byte(`<!doctype html><html lang="de"><head></head><body><h1>Cookies</h1><div data-consent="cookies"></div><div data-consent="cookies"></div><div data-consent="other"></div></body></html>`)
	g := o.gateway(t)
	accepted := g.choose(t, url.Values{"choice": {"accept"}})
	for who, cookies := range map[string][]string{"undecided": nil, "accepted": accepted} {
		page := body(t, g.getFrom(t, "localhost", "/", cookies))
		if n := strings.Count(page, `<div class="cg-declaration" lang="de" dir="ltr">`); n != 1 || !strings.Contains(page, `<h1>Cookies</h1><div data-consent="cookies"><link rel="stylesheet" href="/_consent/assets/declaration.`) {
			t.Errorf("%s: the declaration stands %d times in\n%s", who, n, page)
		}
	}
	o.page = []byte(`<article><div data-consent="cookies"></div></article>`)
	if page := body(t, g.get(t, "/part", nil)); !strings.Contains(page, `<div class="cg-declaration" lang="en"`) || strings.Contains(page, "cg-banner") {
		t.Errorf("a part of a page is\n%s", page)
	}
}

// Search engines get what a visitor gets who has not answered, and may not make our
// words those of the site.
func TestCrawlersAreNoSpecialCase(t *testing.T) {
	o := newOrigin(t)
	o.page = []byte(`<!doctype html><html><head><title>A page</title></head><body><h1>News</h1><iframe src="https://www.youtube.com/embed/x"></iframe></body></html>`)
	g := o.gateway(t)
	page := func(agent string) string {
		return body(t, g.get(t, "/", http.Header{"User-Agent": {agent}}))
	}
	page("") // the first one is told no number of third parties
	crawler, person := page("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"), page("Mozilla/5.0")
	if crawler != person {
		t.Errorf("a crawler is shown\n%s\nand a person\n%s", crawler, person)
	}
	for _, part := range []string{"cg-banner", "cg-foot"} {
		if !regexp.MustCompile(`<section id="` + part + `"[^>]* data-nosnippet>`).MatchString(person) {
			t.Errorf("%s could become the text of a search result:\n%s", part, person)
		}
	}
}
