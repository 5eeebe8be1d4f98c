package catalog

import (
	"fmt"
	"strings"
	"testing"

	"github.com/numfocus/consentgate/consent"
)

// sizes are catalogs to compare: what comes with the program, and the same among
// many more.
var sizes = []int{174, 5000}

// catalogOf returns a catalog of the built-in services and as many made-up ones
// as it takes to have n. They have the shape of the built-in ones: six URL
// patterns, a signature, three cookies.
func catalogOf(t testing.TB, n int) *Catalog {
	t.Helper()
	services, err := Builtin()
	if err != nil {
		t.Fatal(err)
	}
	for i := len(services); i < n; i++ {
		name := madeUpName(i)
		s := consent.Service{
			ID:      consent.ServiceID(fmt.Sprintf("made-up-%d", i)),
			Purpose: consent.Optional()[i%3],
			URLs: []string{
				"*." + name + ".com", "cdn." + name + ".net/js/", "*." + name + ".net/pixel", "www." + name + ".org/embed.js",
				"js-*." + name + ".io", "static." + name + ".io/v*/track",
			},
			Inline: []consent.Signature{{Pattern: `\b` + name + `\s*\(\s*['"](?:init|track)['"]`, Role: consent.Call}},
			Cookies: []consent.Cookie{
				{Name: "_" + name}, {Name: "_" + name + "_*"}, {Name: "uid", Domain: name + ".com"},
			},
		}
		if i%16 == 0 { // as many as of the built-in ones are for any host
			s.URLs[5] = "*/wp-content/plugins/" + name + "/"
		}
		services = append(services, s)
	}
	c, err := New(services)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// madeUpName returns a word of its own for each number.
func madeUpName(i int) string {
	syllables := []string{"ba", "ke", "li", "mo", "nu", "pra", "sti", "tro", "vex", "zan", "gor", "dip", "fle", "hus", "jay", "quo"}
	var b strings.Builder
	for range 4 {
		b.WriteString(syllables[i%16])
		i /= 16
	}
	return b.String()
}

func BenchmarkURL(b *testing.B) {
	refs := []string{
		"https://www.googletagmanager.com/gtag/js?id=G-ABCDEF1234",
		"https://stats.wp.com/e-202648.js",
		"https://www.facebook.com/v21.0/plugins/like.php?href=https%3A%2F%2Fexample.org",
		"https://cdn.unheard-of.example/assets/app.3f2a.js",
		"https://example.org/wp-content/plugins/contact-form-7/includes/js/index.js?ver=6.0",
		"https://example.org/wp-content/plugins/wp-slimstat/wp-slimstat.min.js",
		"https://example.org/wp-content/uploads/2026/11/a-picture-with-a-rather-long-name-1024x683.jpg",
		"https://a.b.c.d.e.f.example.com/",
	}
	for _, n := range sizes {
		b.Run(fmt.Sprintf("services=%d", n), func(b *testing.B) {
			c := catalogOf(b, n)
			urls := make([]URL, len(refs))
			for i, r := range refs {
				urls[i], _ = new(Parser).Parse(nil, []byte(r))
			}
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.URL(urls[i%len(urls)])
			}
		})
	}
}

func BenchmarkCookie(b *testing.B) {
	names := []string{"_ga", "_ga_ABC123", "wordpress_logged_in_0123456789abcdef", "PHPSESSID", "_fbp", "my_theme_setting", "ph_phc_x_posthog"}
	for _, n := range sizes {
		b.Run(fmt.Sprintf("services=%d", n), func(b *testing.B) {
			c := catalogOf(b, n)
			b.ReportAllocs()
			for i := 0; b.Loop(); i++ {
				c.Cookie(names[i%len(names)], "")
			}
		})
	}
}

func BenchmarkScript(b *testing.B) {
	texts := []struct{ name, text string }{
		{"snippet", gtmSnippet},
		{"settings", settingsScript(20 << 10)},
	}
	withheld := func(s *consent.Service) bool { return s.Purpose != consent.Necessary }
	for _, text := range texts {
		for _, n := range sizes {
			b.Run(fmt.Sprintf("%s/services=%d", text.name, n), func(b *testing.B) {
				c := catalogOf(b, n)
				data := []byte(text.text)
				b.SetBytes(int64(len(data)))
				b.ReportAllocs()
				for b.Loop() {
					c.Script(data, withheld)
				}
			})
		}
	}
}

func BenchmarkUnknownLoader(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprintf("services=%d", n), func(b *testing.B) {
			c := catalogOf(b, n)
			data := []byte(settingsScript(20 << 10))
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				c.UnknownLoader(data, func(host []byte) bool { return string(host) == "example.org" })
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	base, _ := new(Parser).Parse(nil, []byte("https://example.org/2026/11/a-post/"))
	base = base.Clone()
	for _, ref := range []string{
		"https://www.googletagmanager.com/gtag/js?id=G-ABCDEF1234",
		"//stats.wp.com/e-202648.js",
		"/wp-content/plugins/contact-form-7/includes/js/index.js?ver=6.0",
		"../images/a.png",
		`HTTPS:\\User@WWW.Ex%61mple.COM.:443\a\..\b`,
	} {
		b.Run(strings.ReplaceAll(ref, "/", "|"), func(b *testing.B) {
			var p Parser
			data := []byte(ref)
			b.ReportAllocs()
			for b.Loop() {
				p.Parse(&base, data)
			}
		})
	}
}

func BenchmarkNew(b *testing.B) {
	services, err := Builtin()
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := New(services); err != nil {
			b.Fatal(err)
		}
	}
}

const gtmSnippet = `(function(w,d,s,l,i){w[l]=w[l]||[];w[l].push({'gtm.start':
new Date().getTime(),event:'gtm.js'});var f=d.getElementsByTagName(s)[0],
j=d.createElement(s),dl=l!='dataLayer'?'&l='+l:'';j.async=true;j.src=
'https://www.googletagmanager.com/gtm.js?id='+i+dl;f.parentNode.insertBefore(j,f);
})(window,document,'script','dataLayer','GTM-ABC123');`

// settingsScript returns a script of about n bytes that only keeps settings, as
// plugins print them, and belongs to nobody.
func settingsScript(n int) string {
	var b strings.Builder
	b.WriteString("/* <![CDATA[ */\n")
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "var plugin_%d_params = {\"ajax_url\":\"\\/wp-admin\\/admin-ajax.php\",\"home\":\"https:\\/\\/example.org\\/shop\\/\","+
			"\"i18n_view_cart\":\"View cart\",\"nonce\":\"%08x\",\"is_cart\":\"\",\"slider\":{\"speed\":%d,\"loop\":true,\"navigation\":\"outside\"}};\n", i, i*2654435761, i*7)
	}
	b.WriteString("window.addEventListener('load', function(){ document.body.classList.add('ready'); fetch('/wp-json/x'); });\n/* ]]> */")
	return b.String()
}
