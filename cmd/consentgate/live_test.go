package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// injecting plays Cloudflare in front of the gateway: it puts something before
// the end of pages, and changes their headers.
func injecting(t *testing.T, gateway, what string, change func(http.Header)) (url string) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		req, err := http.NewRequest(r.Method, "http://"+gateway+r.URL.RequestURI(), nil)
		if err != nil {
			t.Error(err)
			return
		}
		req.Host, req.Header = r.Host, r.Header.Clone()
		req.Header.Del("Accept-Encoding")
		res, err := (&http.Transport{DisableCompression: true}).RoundTrip(req)
		if err != nil {
			t.Error(err)
			return
		}
		defer res.Body.Close()
		page, _ := io.ReadAll(res.Body)
		for name, lines := range res.Header {
			w.Header()[name] = lines
		}
		w.Header().Del("Content-Length")
		if change != nil {
			change(w.Header())
		}
		_, _ = w.Write(bytes.Replace(page, []byte("</body>"), []byte(what+"</body>"), 1))
	}))
	t.Cleanup(server.Close)
	return server.URL
}

// TestCheckLive: what a CDN puts into pages behind the gateway is told, and what
// the gateway itself sends is not.
func TestCheckLive(t *testing.T) {
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		_, _ = io.WriteString(w, `<!doctype html><html><head><title>x</title><script src="/own.js"></script>`+
			`<script src="https://static.cloudflareinsights.com/beacon.min.js"></script></head><body><p>text</p></body></html>`)
	}))
	t.Cleanup(origin.Close)
	p := runProgram(t, "sites: [{upstream: {url: '"+origin.URL+"', host: upstream}}]\n")
	const beacon = `<script defer src="https://static.cloudflareinsights.com/beacon.min.js/v1" data-cf-beacon='{"token":"x"}'></script>`
	for name, tt := range map[string]struct {
		inject string
		change func(http.Header)
		direct bool
		code   int
		says   []string
	}{
		"nothing":                  {code: exitFine, says: []string{"fine"}},
		"nothing, compared":        {direct: true, code: exitFine, says: []string{"fine"}},
		"beacon":                   {inject: beacon, code: exitFailed, says: []string{"Cloudflare Web Analytics is put into", "has browsers refuse it"}},
		"beacon, compared":         {inject: beacon, direct: true, code: exitFailed, says: []string{"Cloudflare Web Analytics is put into", "has browsers refuse it"}},
		"Zaraz":                    {inject: `<script src="/cdn-cgi/zaraz/s.js?z=x" defer></script>`, code: exitFailed, says: []string{"Cloudflare Zaraz is put into", "/cdn-cgi/zaraz/"}},
		"Rocket Loader":            {inject: `<script src="/cdn-cgi/scripts/7d0fa10a/cloudflare-static/rocket-loader.min.js" data-cf-settings="x-|49" defer></script>`, code: exitFailed, says: []string{"Rocket Loader is put into"}},
		"e-mail":                   {inject: `<script src="/cdn-cgi/scripts/5c5dd728/cloudflare-static/email-decode.min.js"></script>`, code: exitFine, says: []string{"- Cloudflare's protection of e-mail"}},
		"a stranger's script":      {inject: `<script src="https://metrics.example.net/x.js"></script>`, code: exitFailed, says: []string{`"https://metrics.example.net/x.js"`, "has not agreed"}},
		"a first-party script":     {inject: `<script src="/added.js"></script>`, direct: true, code: exitFine, says: []string{`- <script src="/added.js"> is not in what the gateway sends`}},
		"an inline script":         {inject: `<script>added()</script>`, direct: true, code: exitFine, says: []string{"- an inline script is not in what the gateway sends"}},
		"policy gone":              {inject: beacon, change: func(h http.Header) { h.Del("Content-Security-Policy") }, direct: true, code: exitFailed, says: []string{"Content-Security-Policy is another", "no policy keeps browsers from it"}},
		"pages kept":               {change: func(h http.Header) { h.Set("Cf-Cache-Status", "HIT") }, code: exitFailed, says: []string{"Cloudflare keeps this page"}},
		"pages not kept":           {change: func(h http.Header) { h.Set("Cf-Cache-Status", "DYNAMIC") }, code: exitFine, says: []string{"fine"}},
		"the gateway is not there": {change: func(h http.Header) { h.Set("X-Bypass", "1") }, code: exitFailed, says: []string{"does not come from the gateway"}},
	} {
		t.Run(name, func(t *testing.T) {
			behind := p.visitors
			if name == "the gateway is not there" {
				behind = strings.TrimPrefix(origin.URL, "http://")
			}
			args := []string{"--live", injecting(t, behind, tt.inject, tt.change)}
			if tt.direct {
				args = append(args, "--gateway", "http://"+p.visitors)
			}
			var out, errs bytes.Buffer
			code := checkCommand(console{out: &out, err: &errs}, args)
			if code != tt.code {
				t.Errorf("exit code %d, want %d", code, tt.code)
			}
			for _, want := range tt.says {
				if !strings.Contains(out.String(), want) {
					t.Errorf("it does not say %q", want)
				}
			}
			if t.Failed() {
				t.Logf("%s%s", out.String(), errs.String())
			}
		})
	}
}

func TestCheckLiveMisuse(t *testing.T) {
	for _, args := range [][]string{{"--live", "ftp://x"}, {"--gateway", "http://x", "file"}, {"--live", "https://x", "a", "b"}} {
		var out, errs bytes.Buffer
		if code := checkCommand(console{out: &out, err: &errs}, args); code != exitUsage || !strings.Contains(errs.String(), "Usage: consentgate check") {
			t.Errorf("%q: exit code %d, %q", args, code, errs.String())
		}
	}
}
