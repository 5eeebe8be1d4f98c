package inventory

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"
)

const cspReport = `{"csp-report":{"document-uri":"https://Example.org/donate/?who=jane","referrer":"https://mail.example/jane",
"violated-directive":"script-src-elem","effective-directive":"script-src-elem","original-policy":"default-src 'self'",
"disposition":"enforce","blocked-uri":"https://Tracker.example/t.js?id=7","status-code":200,"script-sample":"secret"}}`

const reports = `[{"age":1,"type":"csp-violation","url":"https://example.org/donate/","user_agent":"Browser",
"body":{"documentURL":"https://example.org/donate/?who=jane","blockedURL":"https://tracker.example/t.js","effectiveDirective":"img-src","disposition":"report"}},
{"age":1,"type":"deprecation","url":"https://example.org/","body":{"id":"x"}},
{"age":1,"type":"csp-violation","body":{"documentURL":"https://example.org/","blockedURL":"chrome-extension://abc/x.js","effectiveDirective":"script-src"}}]`

func TestParseReports(t *testing.T) {
	enforced := Violation{Directive: "script-src-elem", Disposition: "enforce", Host: "tracker.example",
		URL: "https://Tracker.example/t.js?id=7", Document: "example.org", Page: "/donate/"}
	watched := Violation{Directive: "img-src", Disposition: "report", Host: "tracker.example",
		URL: "https://tracker.example/t.js", Document: "example.org", Page: "/donate/"}
	csp := func(document, blocked, directive string) string {
		return fmt.Sprintf(`{"csp-report":{"document-uri":%q,"blocked-uri":%q,"violated-directive":%q}}`, document, blocked, directive)
	}
	for _, tt := range []struct {
		name, mediaType, body string
		want                  []Violation
		bad                   bool
	}{
		{"report-uri", MediaCSP, cspReport, []Violation{enforced}, false},
		{"report-to", MediaReports, reports, []Violation{watched}, false},
		{"the directive with its sources, as CSP level 1 has it", MediaCSP, csp("https://example.org/a", "https://t.example", "img-src 'self'"),
			[]Violation{{Directive: "img-src", Disposition: "enforce", Host: "t.example", URL: "https://t.example", Document: "example.org", Page: "/a"}}, false},
		{"inline", MediaCSP, csp("https://example.org/", "inline", "script-src-elem"),
			[]Violation{{Directive: "script-src-elem", Disposition: "enforce", Host: "inline", URL: "inline", Document: "example.org", Page: "/"}}, false},
		{"a directive nobody knows", MediaCSP, csp("https://example.org/", "https://t.example", "<script>"), nil, false},
		{"a page that is no page", MediaCSP, csp("about:blank", "https://t.example", "img-src"), nil, false},
		{"an extension", MediaCSP, csp("https://example.org/", "moz-extension://x", "img-src"), nil, false},
		{"a host no browser would name", MediaCSP, csp("https://example.org/", "https://a<b>.example/", "img-src"), nil, false},
		{"a long host", MediaCSP, csp("https://example.org/", "https://"+strings.Repeat("a", 300)+".example/", "img-src"), nil, false},
		{"nothing", MediaCSP, `{}`, nil, true},
		{"no JSON", MediaCSP, `x`, nil, true},
		{"another shape", MediaReports, `{}`, nil, true},
		{"another kind", "text/plain", `{}`, nil, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := ParseReports(tt.mediaType, []byte(tt.body))
			if !reflect.DeepEqual(got, tt.want) || (err != nil) != tt.bad {
				t.Errorf("got %+v, %v", got, err)
			}
		})
	}
}

func TestReportKeepsNothingOfTheVisitor(t *testing.T) {
	inv := New(newWall().now)
	for mediaType, body := range map[string]string{MediaCSP: cspReport, MediaReports: reports} {
		list, err := ParseReports(mediaType, []byte(body))
		if err != nil {
			t.Fatal(err)
		}
		for _, v := range list {
			inv.Report(v, video)
		}
	}
	text, err := json.Marshal(inv.Snapshot())
	if err != nil {
		t.Fatal(err)
	}
	for _, private := range []string{"jane", "secret", "mail", "Browser", "id=7", "t.js"} {
		if strings.Contains(string(text), private) {
			t.Errorf("%q is kept: %s", private, text)
		}
	}
	if got := len(inv.Snapshot().Reports); got != 2 {
		t.Errorf("%d reports, want 2", got)
	}
	if len(inv.Snapshot().Seen) != 0 || len(inv.Seen()) != 0 {
		t.Error("a report is taken for what a document has shown")
	}
}

// Reports that somebody makes up push out one another, and not what browsers
// report again and again.
func TestForgedReports(t *testing.T) {
	inv := New(newWall().now)
	real := Violation{Host: "real.example", Directive: "img-src", Disposition: "enforce", Page: "/"}
	inv.Report(real, nil)
	inv.Report(real, nil)
	inv.Report(real, video)
	for i := range 10 * maxReported {
		inv.Report(Violation{Host: fmt.Sprintf("x%d.example", i), Directive: "img-src", Disposition: "enforce", Page: fmt.Sprintf("/%d", i)}, nil)
	}
	list := inv.Snapshot().Reports
	if len(list) != maxReported+1 {
		t.Errorf("%d reports are kept", len(list))
	}
	found := 0
	for _, r := range list {
		if r.Host == "real.example" {
			found++
		}
	}
	if found != 2 {
		t.Errorf("%d of 2 real ones are left", found)
	}
}

func TestLimit(t *testing.T) {
	clock := newWall()
	inv := New(clock.now)
	allowed := func(source string, times int) (n int) {
		for range times {
			if inv.AllowReport(source) {
				n++
			}
		}
		return n
	}
	if n := allowed("192.0.2.1", 500); n != perSource {
		t.Errorf("%d of one source", n)
	}
	if n := allowed("192.0.2.2", 5); n != 5 {
		t.Errorf("%d of 5 of another source", n)
	}
	if got := inv.Snapshot().ReportsRefused; got != 500-perSource {
		t.Errorf("%d refused", got)
	}
	total := perSource + 5
	for i := range 2 * perMinute {
		total += allowed(fmt.Sprint(i), 1)
	}
	if total != perMinute {
		t.Errorf("%d of all sources in a minute", total)
	}
	clock.turn(time.Minute)
	if n := allowed("192.0.2.1", 500); n != perSource {
		t.Errorf("%d of one source in the next minute", n)
	}
}

func FuzzParseReports(f *testing.F) {
	f.Add(MediaCSP, []byte(cspReport))
	f.Add(MediaReports, []byte(reports))
	f.Add(MediaCSP, []byte(`{"csp-report":{"document-uri":"https://[::1]:8/%zz","blocked-uri":"wss://A..B./","effective-directive":"img-src"}}`))
	f.Fuzz(func(t *testing.T, mediaType string, body []byte) {
		list, _ := ParseReports(mediaType, body)
		if len(list) > maxViolations {
			t.Fatalf("%d violations", len(list))
		}
		for _, v := range list {
			if v.Host == "" || len(v.Host) > maxName || strings.ContainsAny(v.Host+v.Directive+v.Disposition, "<>\"' \n") || strings.ContainsAny(v.Page, "?#") {
				t.Fatalf("%+v", v)
			}
		}
	})
}

func BenchmarkAllow(b *testing.B) {
	inv := New(nil)
	b.ReportAllocs()
	for b.Loop() {
		inv.AllowReport("2001:db8::1")
	}
}
