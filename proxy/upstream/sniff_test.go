package upstream

import (
	"net/http"
	"strings"
	"testing"
)

const page = "<!DOCTYPE html><title>x</title>"

func TestSniff(t *testing.T) {
	for _, tt := range []struct {
		name  string
		types []string
		first string
		want  bool
	}{
		{"html", []string{"text/html"}, "", true},
		{"html with charset", []string{"text/html; charset=UTF-8"}, "{}", true},
		{"html in capitals", []string{"TEXT/HTML"}, "", true},
		{"html with spaces", []string{" \ttext/html ;x"}, "", true},
		{"html without semicolon", []string{"text/html charset=utf-8"}, "", true},
		{"xhtml", []string{"application/xhtml+xml"}, "", true},
		{"two lines, html last", []string{"text/plain", "text/html"}, page, true},
		{"two lines, html first", []string{"text/html", "text/plain"}, page, true},
		{"two types in a line", []string{"text/plain, text/html"}, page, true},
		{"html in quotes of another type", []string{`text/plain; x=", text/html"`}, page, false},
		{"plain", []string{"text/plain"}, page, false},
		{"plain twice", []string{"text/plain", "text/plain"}, page, false},
		{"plain, but anything", []string{"text/plain, */*"}, page, false},
		{"anything, but plain", []string{"*/*, text/plain"}, page, false},
		{"json", []string{"application/json"}, page, false},
		{"feed", []string{"application/rss+xml"}, page, false},
		{"xml", []string{"text/xml"}, "<html>", false},
		{"svg", []string{"image/svg+xml"}, "<html>", false},
		{"octets", []string{"application/octet-stream"}, page, false},
		{"none", nil, page, true},
		{"empty", []string{""}, page, true},
		{"unknown", []string{"unknown/unknown"}, page, true},
		{"application/unknown", []string{"application/unknown"}, page, true},
		{"anything", []string{"*/*"}, page, true},
		{"anything with parameter", []string{"*/*;q=1"}, page, true},
		{"no type at all", []string{"html"}, page, true},
		{"no subtype", []string{"text/"}, page, true},
		{"parameter alone", []string{"; charset=utf-8"}, page, true},
		{"none, but json", nil, `{"a":1}`, false},
		{"none, but nothing", nil, "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{}
			if tt.types != nil {
				h["Content-Type"] = tt.types
			}
			if got := Sniff(h, []byte(tt.first)); got != tt.want {
				t.Errorf("Sniff(%q, %q) = %v", tt.types, tt.first, got)
			}
			if !NeedsSniff(h) && Sniff(h, nil) != tt.want {
				t.Errorf("NeedsSniff(%q) = false, but the bytes make a difference", tt.types)
			}
		})
	}
}

func TestSniffLooksIntoBytesAsBrowsersDo(t *testing.T) {
	for first, want := range map[string]bool{
		"<!doctype HTML>":               true,
		" \t\r\n\f<HtMl>":               true,
		"\xef\xbb\xbf<script>":          true,
		"<!-- x --><rss>":               true,
		"<body>":                        true,
		"<a href=x>":                    true,
		"<p>":                           true,
		"<iframe src=x>":                true,
		"<img src=x>":                   true,
		"<h3>":                          true,
		"<?xml version='1.0'?><html>":   false,
		"<svg>":                         false,
		"<rss>":                         false,
		"x<html>":                       false,
		"\x00<html>":                    false,
		"\x0b<html>":                    false,
		"<":                             false,
		"<htm":                          false,
		"%PDF-1.7":                      false,
		"\xff\xfe<\x00h\x00":            false,
		"GIF89a<script>":                false,
		strings.Repeat(" ", 511) + "<p": false,
		strings.Repeat(" ", 510) + "<p": true,
		strings.Repeat(" ", 512):        true,
		strings.Repeat(" ", 511):        false,
	} {
		if got := Sniff(http.Header{}, []byte(first)); got != want {
			t.Errorf("Sniff(%.40q) = %v", first, got)
		}
	}
}

func TestSniffHeedsTheOriginsWord(t *testing.T) {
	for _, tt := range []struct {
		name, key, value, ctype string
		want                    bool
	}{
		{"nosniff without type", "X-Content-Type-Options", "nosniff", "", false},
		{"nosniff in capitals", "X-Content-Type-Options", " NoSniff", "", false},
		{"nosniff first", "X-Content-Type-Options", "nosniff, x", "", false},
		{"nosniff second does not count", "X-Content-Type-Options", "x, nosniff", "", true},
		{"nosniff html", "X-Content-Type-Options", "nosniff", "text/html", true},
		{"attachment", "Content-Disposition", "Attachment; filename=x.html", "text/html", false},
		{"attachment without type", "Content-Disposition", "attachment", "", false},
		{"inline", "Content-Disposition", "inline; filename=x.html", "text/html", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			h := http.Header{tt.key: {tt.value}}
			if tt.ctype != "" {
				h.Set("Content-Type", tt.ctype)
			}
			if got := Sniff(h, []byte(page)); got != tt.want {
				t.Errorf("Sniff = %v", got)
			}
		})
	}
}

func TestCharset(t *testing.T) {
	for line, want := range map[string]string{
		"text/html":                "",
		"text/html; charset=UTF-8": "utf-8",
		`text/html; a="x;charset=no"; Charset="latin1"`:  "latin1",
		"text/html;charset='windows-1252'":               "windows-1252",
		"text/html; charset=a; charset=b":                "a",
		"text/html; charset=":                            "",
		"text/html; charset":                             "",
		"charset=utf-8":                                  "",
		"text/plain; charset=a, text/html; charset=b":    "b",
		"text/html; charset=a, text/html":                "a",
		`text/html; charset="ut\f-8"`:                    "utf-8",
		"text/html ; charset = shift_jis ; boundary = x": "shift_jis",
	} {
		if got := Charset(http.Header{"Content-Type": {line}}); got != want {
			t.Errorf("Charset(%q) = %q, want %q", line, got, want)
		}
	}
}

func FuzzSniff(f *testing.F) {
	f.Add("text/html; charset=\"a,b\"", []byte(page))
	f.Add("text/plain, */*;\\", []byte(" <!"))
	f.Fuzz(func(t *testing.T, ctype string, first []byte) {
		h := http.Header{"Content-Type": {ctype}}
		html := Sniff(h, first)
		if !NeedsSniff(h) && html != Sniff(h, []byte(page)) {
			t.Errorf("%q: the bytes made a difference", ctype)
		}
		if strings.HasPrefix(strings.ToLower(ctype), "text/html") && len(ctype) == len("text/html") && !html {
			t.Errorf("%q is HTML", ctype)
		}
		if c := Charset(h); c != strings.ToLower(c) {
			t.Errorf("charset %q", c)
		}
	})
}

// What is undecided can still become both; what is decided stays so.
func TestUndecided(t *testing.T) {
	for first, want := range map[string]bool{
		"": true, " \n": true, "\xef": true, "\xef\xbb": true, "\xef\xbb\xbf ": true, "<": true, "<h": true, "<scr": true, " <HTM": true,
		"<!": false, "<html": false, "x": false, "{\"a\"": false, "<?": false, "<rss": false, "\xef\xbbx": false, "\x00": false,
		strings.Repeat(" ", SniffLen): false,
	} {
		if got := Undecided([]byte(first)); got != want {
			t.Errorf("Undecided(%q) = %v", first, got)
		}
		html, text := looksLikeHTML([]byte(first+"<html>")), looksLikeHTML([]byte(first+"{}"))
		if first != "" && !want && len(first) < SniffLen && html != text {
			t.Errorf("%q was decided, and yet what follows makes a difference", first)
		}
	}
}
