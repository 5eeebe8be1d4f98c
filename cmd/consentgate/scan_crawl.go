package main

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"mime"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/numfocus/consentgate/consent/catalog"
)

// scanAgent is the robot's name, for robots.txt.
const scanAgent = "consentgate-scan"

// Bounds of what a site can make the crawler take.
const (
	maxPageBytes    = 8 << 20
	maxRobotsBytes  = 500 << 10
	maxSitemapBytes = 4 << 20
	maxSitemaps     = 10
	maxRedirects    = 5
	maxVariants     = 2 // of a path, by its query
	maxQueue        = 10000
	requestsPerPage = 4 // wanted, counting what turns out to be no page
)

type crawlLimits struct {
	pages int
	pause time.Duration // from one request to the next
}

// A webPage is an HTML page as it came.
type webPage struct {
	url    *url.URL
	status int
	header http.Header
	body   []byte
}

// charset is what the Content-Type header says.
func (p *webPage) charset() string {
	_, params, _ := mime.ParseMediaType(p.header.Get("Content-Type"))
	return params["charset"]
}

// A crawler reads pages of one host, one after another.
type crawler struct {
	crawlLimits
	client http.Client
	robots robots

	home     *url.URL
	queue    []*url.URL
	known    map[string]bool
	variants map[string]int
	next     time.Time // when the next request may be made

	read, requests int
	forbidden      int // links that robots.txt keeps robots from
	problems       []scanProblem
}

// A scanProblem is a page that could not be had.
type scanProblem struct {
	URL     string `json:"url"`
	Problem string `json:"problem"`
}

func newCrawler(l crawlLimits) *crawler {
	return &crawler{
		crawlLimits: l,
		client: http.Client{
			Timeout:       30 * time.Second,
			Transport:     &http.Transport{Proxy: http.ProxyFromEnvironment, DialContext: dialLocalhost},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
		known:    map[string]bool{},
		variants: map[string]int{},
	}
}

// dialLocalhost takes names below localhost for this computer, as browsers do and
// few resolvers (RFC 6761 section 6.3).
func dialLocalhost(ctx context.Context, network, address string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err == nil && strings.HasSuffix(strings.ToLower(host), ".localhost") {
		address = net.JoinHostPort("localhost", port)
	}
	var d net.Dialer
	return d.DialContext(ctx, network, address)
}

// run reads the start page, what it leads to, and what the sitemap lists, in
// this order. It fails if the start page cannot be had, if visit does, or when ctx
// ends; other pages that cannot be had are noted.
func (c *crawler) run(ctx context.Context, start *url.URL, visit func(*webPage) error) error {
	first, err := c.arrive(ctx, start)
	if err != nil {
		return err
	}
	if err := c.take(first, visit); err != nil {
		return err
	}
	if c.pages > 1 {
		c.readSitemaps(ctx)
	}
	for len(c.queue) > 0 && c.read < c.pages && c.requests < requestsPerPage*c.pages {
		u := c.queue[0]
		c.queue = c.queue[1:]
		p, err := c.get(ctx, u, maxPageBytes)
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			c.problems = append(c.problems, scanProblem{u.String(), err.Error()})
			continue
		case isRedirect(p.status):
			c.enqueue(p.location())
			continue
		case p.status != http.StatusOK:
			c.problems = append(c.problems, scanProblem{u.String(), http.StatusText(p.status)})
			continue
		case !p.isHTML():
			continue
		}
		if err := c.take(p, visit); err != nil {
			return err
		}
	}
	return nil
}

// expected is how many pages there will be, as far as is known.
func (c *crawler) expected() int { return min(c.pages, c.read+len(c.queue)) }

func (c *crawler) take(p *webPage, visit func(*webPage) error) error {
	c.read++
	for _, u := range linksOf(p.url, p.body) {
		c.enqueue(u)
	}
	return visit(p)
}

// arrive finds the site: a start page may lead to another one, also of another
// host of the same domain, which is then the site.
func (c *crawler) arrive(ctx context.Context, u *url.URL) (*webPage, error) {
	domain := catalog.Registrable(u.Hostname())
	for range maxRedirects {
		if c.home == nil || c.home.Host != u.Host || c.home.Scheme != u.Scheme {
			c.home = u
			if err := c.readRobots(ctx); err != nil {
				return nil, err
			}
		}
		if !c.robots.allows(u.RequestURI()) {
			return nil, fmt.Errorf("the robots.txt of %s does not allow %s to read %s", u.Host, scanAgent, u.Path)
		}
		c.known[key(u)] = true
		p, err := c.get(ctx, u, maxPageBytes)
		switch {
		case err != nil:
			return nil, err
		case p.status == http.StatusOK && p.isHTML():
			return p, nil
		case p.status == http.StatusOK:
			return nil, fmt.Errorf("%s is no page but %s", u, p.header.Get("Content-Type"))
		case !isRedirect(p.status) || p.location() == nil:
			return nil, fmt.Errorf("%s answers %d %s", u, p.status, http.StatusText(p.status))
		}
		u = tidy(p.location())
		if catalog.Registrable(u.Hostname()) != domain {
			return nil, fmt.Errorf("it leads to another site: scan %s", u)
		}
	}
	return nil, errors.New("it leads from one page to another and to no end")
}

// key tells pages apart: http and https lead to the same.
func key(u *url.URL) string { return u.Host + u.RequestURI() }

// enqueue notes a page to read, unless it is known already, elsewhere, or not
// for robots.
func (c *crawler) enqueue(u *url.URL) {
	if u == nil || u.Host != c.home.Host || u.Scheme != "http" && u.Scheme != "https" || len(c.queue) >= maxQueue {
		return
	}
	u = tidy(u)
	u.Scheme = c.home.Scheme
	if c.known[key(u)] || !harmless(u) {
		return
	}
	c.known[key(u)] = true
	if !c.robots.allows(u.RequestURI()) {
		c.forbidden++
		return
	}
	if u.RawQuery != "" {
		if c.variants[u.Path] >= maxVariants {
			return
		}
		c.variants[u.Path]++
	}
	c.queue = append(c.queue, u)
}

// get asks for a URL, not sooner than it may, and reads at most limit bytes.
func (c *crawler) get(ctx context.Context, u *url.URL, limit int64) (*webPage, error) {
	if err := c.wait(ctx); err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, u.String(), nil)
	if err != nil {
		return nil, err
	}
	req.Header.Set("User-Agent", scanAgent+"/"+buildVersion())
	req.Header.Set("Accept", "text/html,application/xhtml+xml,*/*;q=0.5")
	c.requests++
	res, err := c.client.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("read %s: %w", u, err)
	case int64(len(body)) > limit:
		return nil, fmt.Errorf("%s is longer than %d bytes", u, limit)
	}
	return &webPage{url: u, status: res.StatusCode, header: res.Header, body: body}, nil
}

func (c *crawler) wait(ctx context.Context) error {
	now := time.Now()
	if d := c.next.Sub(now); d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-timer.C:
		}
		now = time.Now()
	}
	c.next = now.Add(max(c.pause, c.robots.delay))
	return ctx.Err()
}

// readRobots asks for robots.txt. Where the server fails nothing is allowed
// (RFC 9309 section 2.3.1.4).
func (c *crawler) readRobots(ctx context.Context) error {
	u := c.home.ResolveReference(&url.URL{Path: "/robots.txt"})
	c.robots = robots{}
	for range maxRedirects {
		p, err := c.get(ctx, u, maxRobotsBytes)
		switch {
		case err != nil:
			return fmt.Errorf("ask whether robots may read the site: %w", err)
		case isRedirect(p.status) && p.location() != nil:
			u = p.location()
			continue
		case p.status >= 500:
			return fmt.Errorf("ask whether robots may read the site: %s answers %d %s", u, p.status, http.StatusText(p.status))
		case p.status == http.StatusOK:
			c.robots = parseRobots(string(p.body), scanAgent)
		}
		return nil
	}
	return nil
}

// readSitemaps adds what the sitemaps of the host list. A site need not have
// any.
func (c *crawler) readSitemaps(ctx context.Context) {
	left := []string{c.home.ResolveReference(&url.URL{Path: "/sitemap.xml"}).String()}
	if len(c.robots.sitemaps) > 0 {
		left = c.robots.sitemaps
	}
	for n := 0; n < maxSitemaps && len(left) > 0 && len(c.queue) < maxQueue; n++ {
		u, err := c.home.Parse(left[0])
		left = left[1:]
		if err != nil || u.Host != c.home.Host {
			continue
		}
		p, err := c.get(ctx, u, maxSitemapBytes)
		if err != nil || p.status != http.StatusOK {
			continue
		}
		pages, more := parseSitemap(unpack(p.body))
		left = append(left, more...)
		for _, page := range pages {
			if u, err := c.home.Parse(page); err == nil {
				c.enqueue(u)
			}
		}
	}
}

// unpack undoes the compression of a sitemap's file (.xml.gz), which a client is not
// told of; of a bomb it takes as much as of any other sitemap.
func unpack(body []byte) []byte {
	packed, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return body
	}
	text, _ := io.ReadAll(io.LimitReader(packed, maxSitemapBytes)) // what was read until an error is there
	return text
}

// parseSitemap reads a sitemap or an index of sitemaps, as far as it is sound.
func parseSitemap(text []byte) (pages, sitemaps []string) {
	var doc struct {
		Pages []struct {
			Loc string `xml:"loc"`
		} `xml:"url"`
		Sitemaps []struct {
			Loc string `xml:"loc"`
		} `xml:"sitemap"`
	}
	_ = xml.NewDecoder(bytes.NewReader(text)).Decode(&doc) // what was read until an error is there
	for _, p := range doc.Pages {
		pages = append(pages, strings.TrimSpace(p.Loc))
	}
	for _, s := range doc.Sitemaps {
		sitemaps = append(sitemaps, strings.TrimSpace(s.Loc))
	}
	return pages, sitemaps
}

func isRedirect(status int) bool {
	switch status {
	case http.StatusMovedPermanently, http.StatusFound, http.StatusSeeOther, http.StatusTemporaryRedirect, http.StatusPermanentRedirect:
		return true
	}
	return false
}

func (p *webPage) location() *url.URL {
	u, err := p.url.Parse(p.header.Get("Location"))
	if err != nil || p.header.Get("Location") == "" {
		return nil
	}
	return u
}

func (p *webPage) isHTML() bool {
	mediaType, _, _ := mime.ParseMediaType(p.header.Get("Content-Type"))
	return mediaType == "text/html" || mediaType == "application/xhtml+xml"
}
