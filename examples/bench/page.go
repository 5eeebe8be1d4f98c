package main

import (
	"fmt"
	"math/rand/v2"
	"strings"
)

// A pageMaker writes a page that looks like a WordPress home page: the same
// every time, about 110 KB, a fifth of that compressed, a fiftieth of its tags
// trackers.
type pageMaker struct {
	out   strings.Builder
	rand  *rand.Rand
	words []string
}

// inserted is what the other proxies put into the page in two places, and
// arrived what the page has in front of a pause.
const (
	inserted = `<!--inserted-->`
	arrived  = `<!--arrived-->`
)

// homePage returns a page with changing in it.
func homePage(changing string) string {
	m := &pageMaker{rand: rand.New(rand.NewPCG(4, 2))}
	m.makeWords(700)
	m.head()
	m.out.WriteString(changing)
	for i := range 36 {
		m.post(i)
	}
	m.foot()
	return m.out.String()
}

func (m *pageMaker) makeWords(n int) {
	syllables := strings.Fields("ta ri mo sel ven dar ka lo nu per con ti es ra in de ma si or at le on re th an")
	for range n {
		var word string
		for range 1 + m.rand.IntN(3) {
			word += syllables[m.rand.IntN(len(syllables))]
		}
		m.words = append(m.words, word)
	}
}

// text is n words; some come much more often than others, as in a language.
func (m *pageMaker) text(n int) string {
	chosen := make([]string, n)
	for i := range chosen {
		at := m.rand.Float64()
		chosen[i] = m.words[int(at*at*at*float64(len(m.words)))]
	}
	return strings.Join(chosen, " ")
}

func (m *pageMaker) head() {
	m.out.WriteString(`<!DOCTYPE html>
<html lang="en-US">
<head>
<meta charset="UTF-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Open Tidepool Foundation</title>
<link rel='dns-prefetch' href='//www.googletagmanager.com' />
<link rel='preconnect' href='https://fonts.gstatic.com' crossorigin />
<link rel='stylesheet' id='fonts-css' href='https://fonts.googleapis.com/css2?family=Inter:wght@400;700&#038;display=swap' media='all' />
<script async src="https://www.googletagmanager.com/gtag/js?id=G-T1DEP00L01"></script>
<script>window.dataLayer=window.dataLayer||[];function gtag(){dataLayer.push(arguments)}gtag('js',new Date());gtag('config','G-T1DEP00L01');</script>
<script>!function(f,b,e,v,n,t,s){n=f.fbq=function(){n.queue.push(arguments)};n.queue=[];t=b.createElement(e);t.src=v;s=b.getElementsByTagName(e)[0];s.parentNode.insertBefore(t,s)}(window,document,'script','https://connect.facebook.net/en_US/fbevents.js');fbq('init','1');fbq('track','PageView');</script>
<noscript><img height="1" width="1" style="display:none" src="https://www.facebook.com/tr?id=1&ev=PageView&noscript=1"/></noscript>
<style id="theme-css">
`)
	for i := range 260 {
		fmt.Fprintf(&m.out, ".wp-block-%s-%d{margin:%dpx %dpx;color:#%06x;font-size:%d.%drem}\n",
			m.words[i], i, m.rand.IntN(40), m.rand.IntN(40), m.rand.IntN(1<<24), 1+i%3, i%10)
	}
	m.out.WriteString("</style>\n")
	for i := range 14 {
		fmt.Fprintf(&m.out, "<link rel='stylesheet' id='plugin-%d-css' href='/wp-content/plugins/%s/style.min.css?ver=6.%d' media='all' />\n", i, m.words[i], i)
		fmt.Fprintf(&m.out, "<script src=\"/wp-includes/js/%s.min.js?ver=3.%d\" id=\"%s-js\"></script>\n", m.words[i+20], i, m.words[i+20])
	}
	m.out.WriteString("</head>\n<body class=\"home blog wp-embed-responsive\">\n<header id=\"masthead\"><nav><ul class=\"menu\">\n")
	for i := range 24 {
		fmt.Fprintf(&m.out, "<li id=\"menu-item-%d\" class=\"menu-item menu-item-type-post_type menu-item-%d\"><a href=\"/%s/\">%s</a></li>\n", i, i, m.words[i], m.text(2))
	}
	m.out.WriteString("</ul></nav></header>\n<main id=\"content\">\n")
}

func (m *pageMaker) post(i int) {
	fmt.Fprintf(&m.out, `<article id="post-%[1]d" class="post-%[1]d post type-post status-publish format-standard has-post-thumbnail hentry category-%[2]s">
<header class="entry-header"><h2 class="entry-title"><a href="/%[2]s/%[3]s/" rel="bookmark">%[4]s</a></h2></header>
<figure class="wp-block-image size-large"><img loading="lazy" decoding="async" width="1024" height="683" src="/wp-content/uploads/%[3]s-1024x683.jpg" alt="%[4]s" srcset="/wp-content/uploads/%[3]s-1024x683.jpg 1024w, /wp-content/uploads/%[3]s-300x200.jpg 300w, /wp-content/uploads/%[3]s-768x512.jpg 768w" sizes="(max-width: 1024px) 100vw, 1024px" /></figure>
<div class="entry-content">
`, i, m.words[i], m.words[i+100], m.text(6))
	for range 4 {
		fmt.Fprintf(&m.out, "<p>%s <a href=\"/%s/\" class=\"more-link\">%s</a> <strong>%s</strong> %s</p>\n", m.text(22), m.words[m.rand.IntN(700)], m.text(2), m.text(2), m.text(18))
	}
	m.out.WriteString("<ul class=\"wp-block-list\">\n")
	for range 4 {
		fmt.Fprintf(&m.out, "<li class=\"has-small-font-size\"><span>%s</span></li>\n", m.text(6))
	}
	m.out.WriteString("</ul>\n")
	switch i % 9 {
	case 2:
		fmt.Fprintf(&m.out, "<iframe title=\"%s\" width=\"560\" height=\"315\" src=\"https://www.youtube.com/embed/%s?feature=oembed\" allowfullscreen></iframe>\n", m.text(3), m.words[i])
	case 6:
		fmt.Fprintf(&m.out, "<img src=\"https://secure.gravatar.com/avatar/%x?s=96\" width=\"96\" height=\"96\" alt=\"\" />\n", m.rand.Uint64())
	}
	m.out.WriteString("</div>\n</article>\n")
}

func (m *pageMaker) foot() {
	m.out.WriteString("</main>\n<footer id=\"colophon\">" + m.text(40) + "</footer>\n")
	for i := range 10 {
		fmt.Fprintf(&m.out, "<script id=\"plugin-%d-js-extra\">var plugin_%d = {\"ajax\":\"/wp-admin/admin-ajax.php\",\"nonce\":\"%010x\",\"text\":\"%s\"};</script>\n", i, i, m.rand.Uint64()>>24, m.text(12))
	}
	m.out.WriteString(`<script src="https://stats.wp.com/e-202648.js" defer></script>
<script defer src='https://static.cloudflareinsights.com/beacon.min.js' data-cf-beacon='{"token":"1"}'></script>
</body>
</html>
`)
}

// stallPage is the beginning of a page of at least n bytes, up to a pause.
func stallPage(n int) string {
	whole := homePage("")
	head, rest, _ := strings.Cut(whole, "<main id=\"content\">\n")
	body, _, _ := strings.Cut(rest, "</main>")
	var out strings.Builder
	out.WriteString(head)
	for out.Len() < n {
		out.WriteString(body[:min(len(body), n-out.Len())])
	}
	return out.String() + "</a></p>" + arrived
}
