package main

import (
	"bytes"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/numfocus/consentgate/examples/demo"
	"github.com/numfocus/consentgate/proxy"
)

func auditDemo(t *testing.T, host string, pages int) *auditReport {
	t.Helper()
	if _, err := findBrowser(""); err != nil {
		skipOrFail(t, err.Error())
	}
	services, err := demoServices()
	if err != nil {
		t.Fatal(err)
	}
	start := &url.URL{Scheme: "http", Host: host + ":" + startDemo(t), Path: "/"}
	o := auditOptions{pages: pages, shots: true}
	report, err := o.audit(t.Context(), console{out: new(bytes.Buffer), err: new(bytes.Buffer)}, proxy.SiteConfig{Services: services}, start)
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range report.Visits {
		if len(v.Problems) > 0 {
			t.Errorf("%s: %q", v.State, v.Problems)
		}
		if len(v.Picture) < 1000 {
			t.Errorf("%s: a picture of %d bytes", v.State, len(v.Picture))
		}
	}
	keepReport(t, report)
	return report
}

// keepReport leaves the report where it can be looked at.
func keepReport(t *testing.T, r *auditReport) {
	folder := os.Getenv("AUDIT_REPORTS")
	if folder == "" {
		return
	}
	var out bytes.Buffer
	if err := writeAuditHTML(&out, r); err != nil {
		t.Fatal(err)
	}
	writeFile(t, folder+"/"+t.Name()+".html", out.Bytes())
}

// TestAuditWithout shows that an audit sees what a site without a gateway does.
func TestAuditWithout(t *testing.T) {
	r := auditDemo(t, demo.Without, 6)
	if r.Gateway || len(r.Visits) != 6 || len(r.Pages) != 6 {
		t.Fatalf("gateway = %t, visits %d, pages %q", r.Gateway, len(r.Visits), r.Pages)
	}
	for _, v := range r.Visits {
		want := 13
		if !v.JavaScript {
			want = 11 // some only a script calls
		}
		services := 0
		for _, c := range v.Escapes() {
			if c.Service == "" {
				t.Errorf("%s: the demo has nobody unknown, but %+v", v.State, c)
				continue
			}
			services++
		}
		if services < want {
			t.Errorf("%s: only %d of the demo's services were seen to escape: %+v", v.State, services, v.Contacts)
		}
		if !slices.ContainsFunc(v.Kept, func(k auditKept) bool { return k.Name == "mailchimp_landing_site" && k.Verdict == escaped }) {
			t.Errorf("%s: kept is %+v", v.State, v.Kept)
		}
	}
	var out bytes.Buffer
	if err := printAudit(&out, r); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"new visitor", "www.youtube.com.localhost", "something went to third parties"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is not in\n%s", want, &out)
		}
	}
}

// TestAuditWith shows that nothing escapes through the gateway, and that whoever
// accepts gets what they accepted.
func TestAuditWith(t *testing.T) {
	r := auditDemo(t, demo.With, 2)
	if !r.Gateway || len(r.Visits) != 18 {
		t.Fatalf("gateway = %t, visits %d", r.Gateway, len(r.Visits))
	}
	for _, v := range r.Visits {
		if v.Escaped > 0 {
			t.Errorf("%s: escaped %+v %+v", v.State, v.Escapes(), v.escapedKept())
		}
		asked := v.Hosts() - 1 // the site's own hosting company is necessary
		switch name, _, _ := strings.Cut(v.State, ","); name {
		case "accepted":
			if asked < 6 {
				t.Errorf("%s: only %d third parties were contacted: %+v", v.State, asked, v.Contacts)
			}
		case "preferences alone", "statistics alone", "marketing alone":
			if asked < 1 {
				t.Errorf("%s: nobody was contacted", v.State)
			}
		default:
			if asked > 0 {
				t.Errorf("%s: contacted were %+v", v.State, v.Contacts)
			}
		}
	}
	var out bytes.Buffer
	if err := writeAuditHTML(&out, r); err != nil {
		t.Fatal(err)
	}
	for _, foreign := range []string{` src="http`, ` href="http`, "url(", "<script"} {
		if strings.Contains(out.String(), foreign) {
			t.Errorf("the report has %q", foreign)
		}
	}
}

// TestAuditWithoutBrowser looks from where no browser is.
func TestAuditWithoutBrowser(t *testing.T) {
	if _, err := findBrowser("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"); err == nil {
		t.Skip("there it is found whatever PATH says")
	}
	t.Setenv("PATH", t.TempDir())
	t.Setenv(browserVariable, "")
	var out, said strings.Builder
	if code := run([]string{"audit", "http://127.0.0.1:1/"}, strings.NewReader(""), &out, &said, os.Getenv); code != exitFailed {
		t.Errorf("it exits with %d", code)
	}
	for _, want := range []string{"found no Chromium or Chrome", "apt install chromium", "--browser PATH", "CONSENTGATE_BROWSER"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("%q is not in %q", want, said.String())
		}
	}
	if out.Len() > 0 {
		t.Errorf("it printed %q", out.String())
	}
}
