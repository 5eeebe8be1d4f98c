package banner

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/net/html"
)

func youtubeFrame() Frame {
	return Frame{
		Service: exampleService("youtube"),
		Source:  "https://www.youtube.com/embed/dQw4w9WgXcQ?start=42",
		Title:   "Keynote & questions",
		Width:   "560", Height: "315",
	}
}

func TestPlaceholder(t *testing.T) {
	b := example(t)
	golden(t, "placeholder.html", b.AppendPlaceholder(nil, "en", youtubeFrame(), undecided()))
	golden(t, "placeholder-signal.html", b.AppendPlaceholder(nil, "en", youtubeFrame(), signalled()))
	golden(t, "placeholder-unknown.html", b.AppendPlaceholder(nil, "en",
		Frame{Source: "https://widget.example.net/w?id=1", Width: "100%", Height: "400"}, undecided()))
	golden(t, "placeholder-first-party.html", b.AppendPlaceholder(nil, "en",
		Frame{Service: exampleService("own-statistics"), Source: "/stats/"}, undecided()))
}

func TestPlaceholderAppends(t *testing.T) {
	b := example(t)
	got := string(b.AppendPlaceholder([]byte("before "), "en", youtubeFrame(), undecided()))
	if !strings.HasPrefix(got, `before <span class="cg-placeholder" data-service="youtube"`) {
		t.Errorf("got %.80s", got)
	}
}

// A frame may stand wherever phrasing content may; whatever else stood there in
// its place would end the paragraph, and the site's page with it.
func TestPlaceholdersLeaveTheParagraphWhole(t *testing.T) {
	b := example(t)
	box := b.AppendPlaceholder(nil, "en", youtubeFrame(), undecided())
	for _, around := range []string{"p", "h2", "span", "em", "label", "dt", "pre"} {
		page := "<!DOCTYPE html><" + around + ` id="site">text ` + string(box) + " more</" + around + ">"
		root, err := html.Parse(strings.NewReader(page))
		if err != nil {
			t.Fatal(err)
		}
		element, count := find(root, around)
		text := textOf(element)
		if count != 1 || !strings.HasPrefix(text, "text ") || !strings.HasSuffix(text, " more") || !strings.Contains(text, "Keynote") {
			t.Errorf("%d %s elements, the first with %q", count, around, text)
		}
	}
}

// find gives the site's own element and the number of its kind that are not ours.
func find(n *html.Node, name string) (first *html.Node, count int) {
	for child := range n.Descendants() {
		if child.Type != html.ElementNode || child.Data != name || strings.Contains(attrs(child), "cg-") || inOurs(child) {
			continue
		}
		if count++; first == nil {
			first = child
		}
	}
	return first, count
}

func inOurs(n *html.Node) bool {
	for above := range n.Ancestors() {
		if strings.Contains(attrs(above), "cg-placeholder") {
			return true
		}
	}
	return false
}

func attrs(n *html.Node) string { return fmt.Sprint(n.Attr) }

func textOf(n *html.Node) string {
	var text strings.Builder
	for child := range n.Descendants() {
		if child.Type == html.TextNode {
			text.WriteString(child.Data)
		}
	}
	return text.String()
}

// A form inside a form is dropped by the parser, and its end tag closes the
// outer one: buttons must name theirs by id instead.
func TestPlaceholderHasNoFormOfItsOwn(t *testing.T) {
	b := example(t)
	box := string(b.AppendPlaceholder(nil, "en", youtubeFrame(), undecided()))
	if strings.Contains(box, "<form") {
		t.Error("the placeholder holds a form")
	}
	foot := string(b.Link("en", undecided()))
	for _, id := range []string{"cg-once", "cg-always"} {
		if !strings.Contains(box, `form="`+id+`"`) || !strings.Contains(foot, `<form id="`+id+`"`) {
			t.Errorf("button and form %s do not meet", id)
		}
	}
}

func TestPlaceholderTakesTheTitleAsText(t *testing.T) {
	b, f := example(t), youtubeFrame()
	f.Title = `"><script>alert(1)</script>`
	f.Source = "javascript:alert(1)"
	box := string(b.AppendPlaceholder(nil, "en", f, undecided()))
	if strings.Contains(box, "<script") || strings.Contains(box, "javascript:") {
		t.Errorf("the title got in as markup: %s", box)
	}
}

func TestFramesNobodySeesLeaveNothing(t *testing.T) {
	b := example(t)
	for _, size := range [][2]string{{"1", "1"}, {"0", "0"}, {"560", "1"}, {"3px", "100"}} {
		f := youtubeFrame()
		f.Width, f.Height = size[0], size[1]
		got := b.AppendPlaceholder(nil, "en", f, undecided())
		if size == [2]string{"0", "0"} {
			continue // told below: 0 is also what cannot be read
		}
		if got != nil {
			t.Errorf("a frame of %v has a placeholder", size)
		}
	}
}

func TestBox(t *testing.T) {
	for _, tt := range []struct{ width, height, want string }{
		{"560", "315", "--cg-w:560px;--cg-h:auto;--cg-r:560/315"},
		{"560px", "315px", "--cg-w:560px;--cg-h:auto;--cg-r:560/315"},
		{" 560", "", "--cg-w:560px"},
		{"100%", "400", "--cg-w:100%;--cg-h:400px"},
		{"100%", "", "--cg-w:100%"},
		{"100%", "100%", "--cg-w:100%"},
		{"", "400", "--cg-h:400px"},
		{"", "", ""},
		{"auto", "auto", ""},
		{"-5", "999999", ""},
		{"1e3;color:red", "", "--cg-w:1px"},
	} {
		if got := string(boxOf(tt.width, tt.height).style()); got != tt.want {
			t.Errorf("width %q, height %q: %q, want %q", tt.width, tt.height, got, tt.want)
		}
	}
}

func TestContentLink(t *testing.T) {
	for frame, want := range map[string]string{
		"https://www.youtube.com/embed/dQw4w9WgXcQ":                                             "https://www.youtube.com/watch?v=dQw4w9WgXcQ",
		"https://www.youtube-nocookie.com/embed/dQw4w9WgXcQ?start=42&rel=0":                     "https://www.youtube.com/watch?t=42&v=dQw4w9WgXcQ",
		"https://www.youtube.com/embed/videoseries?list=PL123":                                  "https://www.youtube.com/playlist?list=PL123",
		"https://www.youtube.com/embed/":                                                        "",
		"https://www.youtube.com/live_chat?v=x":                                                 "",
		"https://player.vimeo.com/video/76979871?h=8272103f6e":                                  "https://vimeo.com/76979871/8272103f6e",
		"https://player.vimeo.com/video/76979871":                                               "https://vimeo.com/76979871",
		"https://numfocus.typeform.com/to/ml4Pi6?typeform-embed=embed-widget&typeform-source=x": "https://numfocus.typeform.com/to/ml4Pi6",
		"https://vimeo.com/showcase/3253534/embed?autoplay=1":                                   "https://vimeo.com/showcase/3253534",
		"https://vimeo.com/event/12/embed":                                                      "https://vimeo.com/event/12",
		"https://www.dailymotion.com/embed/video/x8a?autoplay=1":                                "https://www.dailymotion.com/video/x8a",
		"https://geo.dailymotion.com/player/xabc.html?video=x8a":                                "https://www.dailymotion.com/video/x8a",
		"https://player.twitch.tv/?channel=numfocus&parent=x":                                   "https://www.twitch.tv/numfocus",
		"https://player.twitch.tv/?video=v123&parent=x":                                         "https://www.twitch.tv/videos/123",
		"https://player.twitch.tv/?parent=x":                                                    "",
		"https://embed.podcasts.apple.com/us/podcast/x/id1?i=2":                                 "https://podcasts.apple.com/us/podcast/x/id1?i=2",
		"https://www.flipcause.com/widget/NTU3Ng==":                                             "https://www.flipcause.com/secure/cause_pdetails/NTU3Ng==",
		"https://www.flipcause.com/widget/give_now/NTU3Ng%3D%3D":                                "https://www.flipcause.com/secure/cause_pdetails/NTU3Ng%3D%3D",
		"https://www.flipcause.com/widget/a/b":                                                  "",
		"https://donorbox.org/embed/campaign?x=1":                                               "https://donorbox.org/campaign",
		"https://givebutter.com/embed/c/slug":                                                   "https://givebutter.com/slug",
		"https://www.zeffy.com/embed/donation-form/slug":                                        "https://www.zeffy.com/donation-form/slug",
		"https://calendly.com/a/b?embed_domain=x&embed_type=Inline&month=2026-11":               "https://calendly.com/a/b?month=2026-11",
		"https://airtable.com/embed/shrX?backgroundColor=red":                                   "https://airtable.com/shrX",
		"https://airtable.com/embed/":                                                           "",
		"https://calendar.google.com/calendar/embed?src=a%40b&ctz=UTC":                          "https://calendar.google.com/calendar/embed?ctz=UTC&src=a%40b",
		"https://calendar.google.com/x":                                                         "",
		"https://docs.google.com/presentation/d/e/X/embed?start=false":                          "https://docs.google.com/presentation/d/e/X/pub",
		"https://docs.google.com/spreadsheets/d/e/X/pubhtml?widget=true&headers=false":          "https://docs.google.com/spreadsheets/d/e/X/pubhtml",
		"https://drive.google.com/file/d/X/preview":                                             "https://drive.google.com/file/d/X",
		"https://www.openstreetmap.org/export/embed.html?bbox=1,2,3,4&marker=30.2672,-97.743":   "https://www.openstreetmap.org/?mlat=30.2672&mlon=-97.743#map=16/30.2672/-97.743",
		"https://www.openstreetmap.org/export/embed.html?bbox=1,2,3,4":                          "",
		"https://www.scribd.com/embeds/123/content?view_mode=scroll":                            "https://www.scribd.com/document/123",
		"https://form.jotform.com/2410":                                                         "https://form.jotform.com/2410",
		"https://interfaces.zapier.com/embed/page/abc":                                          "",
		"https://www.google.com/maps/embed/v1/directions?key=K&origin=A&destination=B":          "https://www.google.com/maps/dir/?api=1&destination=B&origin=A",
		"https://www.google.com/maps/embed/v1/view?key=K&center=1,2":                            "https://www.google.com/maps/search/?api=1&query=1%2C2",
		"https://www.google.com/maps/embed/v1/place?key=K&q=place_id:ChI":                       "https://www.google.com/maps/place/?q=place_id%3AChI",
		"https://www.eventbrite.com/checkout-external?eid=12345&parent=https%3A%2F%2Fx":         "https://www.eventbrite.com/e/12345",
		"https://www.flipcause.com/secure/cause_pdetails/MTIz":                                  "https://www.flipcause.com/secure/cause_pdetails/MTIz",
		"https://secure.lglforms.com/form_engine/s/abc?t=1#x":                                   "https://secure.lglforms.com/form_engine/s/abc?t=1",
		"https://numfocus.littlegreenlight.com/x":                                               "https://numfocus.littlegreenlight.com/x",
		"https://www.google.com/maps/embed?pb=!1m18!1m12!1m3!1d3!2d-97.7430!3d30.2672!2m":       "https://www.google.com/maps/search/?api=1&query=30.2672%2C-97.7430",
		"https://www.google.com/maps/embed/v1/place?key=K&q=Austin":                             "https://www.google.com/maps/search/?api=1&query=Austin",
		"https://maps.google.com/maps?q=Austin+TX&output=embed":                                 "https://www.google.com/maps/search/?api=1&query=Austin+TX",
		"https://www.google.com/maps/d/embed?mid=1abc":                                          "https://www.google.com/maps/d/viewer?mid=1abc",
		"https://www.google.com/recaptcha/api2/anchor":                                          "",
		"https://docs.google.com/forms/d/e/X/viewform?embedded=true":                            "https://docs.google.com/forms/d/e/X/viewform",
		"https://open.spotify.com/embed/episode/7makk4oTQel":                                    "https://open.spotify.com/episode/7makk4oTQel",
		"https://w.soundcloud.com/player/?url=https%3A//soundcloud.com/a/b":                     "https://soundcloud.com/a/b",
		"https://w.soundcloud.com/player/?url=javascript:alert(1)":                              "",
		"https://codepen.io/team/embed/preview/abc?x=1":                                         "https://codepen.io/team/pen/abc",
		"https://evilyoutube.com/embed/x":                                                       "",
		"https://typeform.com.evil.example/to/x":                                                "",
		"javascript:alert(1)":                                                                   "",
		"data:text/html,x":                                                                      "",
		"//www.youtube.com/embed/x":                                                             "",
		"":                                                                                      "",
	} {
		if got := ContentLink(frame); got != want {
			t.Errorf("ContentLink(%q)\n got %q\nwant %q", frame, got, want)
		}
	}
}

// A link that leads to the frame itself leads nowhere new, and much that is made for
// frames refuses to be more.
func TestContentLinksAreNotTheFrame(t *testing.T) {
	embed := regexp.MustCompile(`/(embed|widget|player)(/|\?|$)|//player\.|[?&](output=embed|embed)`)
	for _, c := range contents() {
		for _, path := range []string{"/embed/abc", "/embed/video/abc", "/embed/c/abc", "/widget/abc", "/widget/give_now/abc", "/video/1",
			"/abc/embed", "/a/embed/b", "/embeds/1/content", "/maps/embed?pb=!2d1!3d2", "/?channel=x", "/?video=1"} {
			if link := ContentLink("https://" + c.host + path); embed.MatchString(link) {
				t.Errorf("https://%s%s leads to %s", c.host, path, link)
			}
		}
	}
}

func FuzzContentLink(f *testing.F) {
	f.Add("https://www.youtube.com/embed/x")
	f.Add("https://user:pw@www.google.com:99/maps/embed?pb=!2d1!3d2")
	f.Fuzz(func(t *testing.T, frame string) {
		if link := ContentLink(frame); link != "" && !strings.HasPrefix(link, "https://") {
			t.Errorf("ContentLink(%q) = %q leads elsewhere than to a page", frame, link)
		}
	})
}

func BenchmarkPlaceholder(b *testing.B) {
	ban, f, d := example(b), youtubeFrame(), undecided()
	dst := make([]byte, 0, 4096)
	b.ReportAllocs()
	for b.Loop() {
		if dst = ban.AppendPlaceholder(dst[:0], "en", f, d); len(dst) == 0 {
			b.Fatal("nothing")
		}
	}
}

// Where a script would have drawn something, the page that it would have drawn a part
// of is offered.
func TestLinksOfScripts(t *testing.T) {
	for _, c := range []struct{ source, text, want string }{
		{"https://secure.lglforms.com/form_engine/s/t_LVau_VWMYvzPyTGLUBMA.js", "", "https://secure.lglforms.com/form_engine/s/t_LVau_VWMYvzPyTGLUBMA"},
		{"https://form.jotform.com/jsform/1", "", "https://form.jotform.com/1"},
		{"https://www.buzzsprout.com/12/345-a-talk.js?container_id=x&player=small", "", "https://www.buzzsprout.com/12/345-a-talk"},
		{"https://numfocus.ck.page/0a1b2c/index.js", "", "https://numfocus.ck.page/0a1b2c"},
		{"", "window.EBWidgets.createWidget({widgetType: 'checkout', eventId: '123456789012', iframeContainerId: 'x'})", "https://www.eventbrite.com/e/123456789012"},
		{"", `window.EBWidgets.createWidget({eventId: "1\"><script>"})`, ""},
		{"https://embed.typeform.com/next/embed.js", "", ""},
		{"https://secure.lglforms.com/form_engine/s/x.js/..", "", ""},
		{"javascript:alert(1)", "", ""},
	} {
		if got := (Frame{Source: c.source, Text: []byte(c.text), Script: true}).Link(); got != c.want {
			t.Errorf("%s%s leads to %q, want %q", c.source, c.text, got, c.want)
		}
	}
}
