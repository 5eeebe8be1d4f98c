package wordpress

import (
	"encoding/json"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// services are all that the example's pages and plugins embed, whether or not
// a browser comes to call them.
var services = []string{
	"eventbrite", "flipcause", "google-analytics-4", "google-fonts", "google-maps", "google-tag-manager", "gravatar",
	"jetpack-stats", "little-green-light", "mailchimp-connected-site", "mailchimp-form", "meta-pixel", "typeform",
	"youtube", "zapier",
}

// named are hosts that the markup names beside those that Chromium calls: one to
// connect to early, and one for visitors without scripts.
var named = []string{"fonts.gstatic.com", "www.facebook.com"}

// TestScan has consentgate scan find all services of the example, and nothing
// that is not there.
func TestScan(t *testing.T) {
	site := startWordPress(t)
	binary := filepath.Join(t.TempDir(), "consentgate")
	if out, err := exec.Command("go", "build", "-o", binary, "../../cmd/consentgate").CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	out, err := exec.Command(binary, "scan", site, "--rate", "50", "--json", "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	var report struct {
		Pages    []struct{ URL string }
		Problems []any
		Services []struct {
			ID    string
			Hosts []string
		}
		Unknown []struct{ Host string }
	}
	if err := json.Unmarshal(out, &report); err != nil {
		t.Fatal(err)
	}
	var read, found, hosts []string
	for _, p := range report.Pages {
		read = append(read, p.URL)
	}
	for _, s := range report.Services {
		found = append(found, s.ID)
		hosts = append(hosts, s.Hosts...)
	}
	for _, path := range pages {
		if !slices.Contains(read, site+path) {
			t.Errorf("%s is not read, only %q", path, read)
		}
	}
	slices.Sort(found)
	if !slices.Equal(found, services) {
		t.Errorf("found  %q\nwanted %q", found, services)
	}
	if len(report.Unknown) > 0 || len(report.Problems) > 0 {
		t.Errorf("unknown: %v, problems: %v", report.Unknown, report.Problems)
	}
	called := slices.Clone(named)
	for _, v := range vendors {
		called = append(called, v.host)
		if !v.needsScript && !slices.Contains(hosts, v.host) {
			t.Errorf("%s is called and not found", v.host)
		}
	}
	for _, host := range hosts {
		if !slices.Contains(called, host) {
			t.Errorf("%s is found, and nobody calls it", host)
		}
	}
}
