package monitoring_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v4"

	"github.com/numfocus/consentgate/proxy/admin"
	"github.com/numfocus/consentgate/proxy/inventory"
)

// A gateway is consentgate in a process of its own, in front of a small site.
type gateway struct{ visitors, operators string }

var address = regexp.MustCompile(`^  (\w+) +(http://\S+)$`)

func start(t *testing.T) gateway {
	t.Helper()
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		io.WriteString(w, `<!doctype html><title>t</title><script src="https://www.googletagmanager.com/gtag/js"></script>Hello.`)
	}))
	t.Cleanup(origin.Close)
	path := filepath.Join(t.TempDir(), "consentgate")
	if out, err := exec.Command("go", "build", "-o", path, "../../cmd/consentgate").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.Command(path, "run", "--upstream", origin.URL, "--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", "--data", t.TempDir())
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	var g gateway
	for scan := bufio.NewScanner(stdout); scan.Scan(); {
		switch m := address.FindStringSubmatch(scan.Text()); {
		case m != nil && m[1] == "visitors":
			g.visitors = strings.TrimSuffix(m[2], "/")
		case m != nil:
			g.operators = strings.TrimSuffix(m[2], "/metrics")
		case strings.HasPrefix(scan.Text(), "Ctrl-C"):
			return g
		}
	}
	t.Fatal("it ended before it listened")
	return g
}

func (g gateway) visit(t *testing.T, method, path string, header http.Header, form string) {
	t.Helper()
	r, err := http.NewRequest(method, g.visitors+path, strings.NewReader(form))
	if err != nil {
		t.Fatal(err)
	}
	for name, lines := range header {
		r.Header[name] = lines
	}
	r.Host = header.Get("Host")
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.Do(r)
	if err != nil {
		return // refused with a broken connection, which is as good
	}
	io.Copy(io.Discard, res.Body)
	res.Body.Close()
}

func (g gateway) metrics(t *testing.T) string {
	t.Helper()
	res, err := http.Get(g.operators + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// ordinary does what visitors do, so that every metric has something to say.
func (g gateway) ordinary(t *testing.T) {
	page := http.Header{"Accept": {"text/html"}}
	g.visit(t, "GET", "/", page, "")
	g.visit(t, "GET", "/", page, "")
	g.visit(t, "POST", "/_consent/choice", http.Header{"Sec-Fetch-Site": {"same-origin"}, "Content-Type": {"application/x-www-form-urlencoded"}}, "choice=accept&revision=1&return=/")
}

// names of an answer: those of histograms with their suffixes.
func names(metrics string) map[string]bool {
	found := map[string]bool{}
	for line := range strings.Lines(metrics) {
		if name := strings.FieldsFunc(line, func(r rune) bool { return r == '{' || r == ' ' })[0]; name != "#" {
			found[name] = true
		}
	}
	return found
}

// sometimes are the metrics of a gateway with TLS of its own and a ledger in
// PostgreSQL.
func sometimes() string {
	m := admin.NewMetrics(admin.Sources{
		Outbox:       func() (admin.Outbox, bool) { return admin.Outbox{}, true },
		Certificates: func() []admin.Certificate { return []admin.Certificate{{Name: "a", NotAfter: time.Now()}} },
	})
	h := admin.New(admin.Config{}, admin.Parts{
		Problems:  func(context.Context) []admin.Problem { return nil },
		Reload:    func(context.Context) (string, error) { return "", errors.New("no") },
		Inventory: func() inventory.File { return inventory.File{} },
		Metrics:   m,
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest("GET", "/metrics", nil))
	return w.Body.String()
}

var (
	metricName = regexp.MustCompile(`\b(consentgate|process|go)_[a-z_]+\b`)
	documented = regexp.MustCompile("(?m)^\\| `(consentgate_[a-z_]+)")
)

func TestMetrics(t *testing.T) {
	g := start(t)
	g.ordinary(t)
	t.Run("exist", func(t *testing.T) { testNames(t, g) })
	t.Run("visitors make no series", func(t *testing.T) { testHostile(t, g) })
}

// testNames holds the dashboard, the alerts and the documentation against
// what a gateway answers, and that against the documentation.
func testNames(t *testing.T, g gateway) {
	there := names(g.metrics(t))
	for name := range names(sometimes()) {
		there[name] = true
	}
	for _, file := range []string{"alerts.yml", "dashboard.json"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		used := expressions(t, file, text)
		if len(used) == 0 {
			t.Errorf("%s asks for nothing", file)
		}
		for _, expr := range used {
			for _, name := range metricName.FindAllString(expr, -1) {
				if !there[name] {
					t.Errorf("%s: there is no %s", file, name)
				}
			}
		}
	}

	text, err := os.ReadFile("../../OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	known := map[string]bool{}
	for _, m := range documented.FindAllSubmatch(text, -1) {
		known[string(m[1])] = true
		if name := string(m[1]); !there[name] && !there[name+"_bucket"] {
			t.Errorf("OPERATIONS.md: there is no %s", name)
		}
	}
	for name := range there {
		family := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count")
		if strings.HasPrefix(name, "consentgate_") && !known[family] {
			t.Errorf("OPERATIONS.md does not tell of %s", family)
		}
	}
}

// expressions are what a file asks Prometheus.
func expressions(t *testing.T, name string, text []byte) (all []string) {
	t.Helper()
	if filepath.Ext(name) == ".json" {
		var dashboard struct {
			Panels []struct {
				Title   string
				Targets []struct{ Expr string }
			}
		}
		if err := json.Unmarshal(text, &dashboard); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for _, panel := range dashboard.Panels {
			for _, target := range panel.Targets {
				all = append(all, target.Expr)
			}
		}
		return all
	}
	var rules struct {
		Groups []struct {
			Name  string
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Load(text, &rules); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			if rule.Annotations["summary"] == "" || rule.Labels["severity"] == "" {
				t.Errorf("%s says too little", rule.Alert)
			}
			all = append(all, rule.Expr)
		}
	}
	return all
}

// TestAlertsAreExplained expects OPERATIONS.md to say what to do about each.
func TestAlertsAreExplained(t *testing.T) {
	alerts, err := os.ReadFile("alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile("../../OPERATIONS.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range regexp.MustCompile(`alert: (\w+)`).FindAllSubmatch(alerts, -1) {
		if !bytes.Contains(text, append([]byte("| `"), m[1]...)) {
			t.Errorf("OPERATIONS.md does not say what to do about %s", m[1])
		}
	}
}

// TestPromtool has Prometheus itself look at the rules where it is installed. It
// is an addition to the tests above, which need nothing.
func TestPromtool(t *testing.T) {
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		return
	}
	for _, args := range [][]string{{"check", "rules", "alerts.yml"}, {"check", "config", "prometheus.yml"}} {
		if out, err := exec.Command(promtool, args...).CombinedOutput(); err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

// testHostile sends whatever may end up in a label by mistake, and
// expects none of it there, and after a while no new series at all.
func testHostile(t *testing.T, g gateway) {
	r := rand.New(rand.NewPCG(1, 2))
	hostile := func(mark string) {
		word := func() string { return fmt.Sprintf("%s%d", mark, r.Uint32()) }
		header := http.Header{
			"Host": {word() + ".example"}, "Accept": {"text/html"}, "User-Agent": {word()}, "Accept-Language": {word()},
			"Cookie": {word() + "=1; consent=" + word() + "; _ga" + word() + "=1"}, "Sec-Fetch-Dest": {word()}, "Referer": {"http://" + word()},
			"X-Forwarded-For": {word()}, "Consent": {word()}, "Accept-Encoding": {word()}, "Sec-Gpc": {word()}, "Origin": {"http://" + word()},
		}
		for _, method := range []string{"GET", "HEAD", "POST", "DELETE", strings.ToUpper(word())} {
			g.visit(t, method, "/"+word()+"?"+word(), header, word())
			g.visit(t, method, "/_consent/"+word(), header, word())
		}
		form := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}, "Sec-Fetch-Site": {"same-origin"}}
		g.visit(t, "POST", "/_consent/choice", form, "choice=save&purpose="+word()+"&service="+word())
		form.Set("Content-Type", "application/csp-report")
		g.visit(t, "POST", "/_consent/report", form, `{"csp-report":{"document-uri":"http://`+word()+`/","blocked-uri":"http://`+word()+`/","effective-directive":"`+word()+`"}}`)
	}
	hostile("aardvark")
	before := len(series(g.metrics(t)))
	for range 40 {
		hostile("aardvark")
	}
	after := g.metrics(t)
	if strings.Contains(strings.ToLower(after), "aardvark") {
		t.Errorf("a visitor's word is in the metrics")
	}
	if n := len(series(after)); n > before+12 { // a class of status, a way to be refused
		t.Errorf("%d series became %d", before, n)
	}
}

// series are the series of an answer, labels included.
func series(metrics string) map[string]bool {
	found := map[string]bool{}
	for line := range strings.Lines(metrics) {
		if cut := strings.LastIndexByte(line, ' '); cut > 0 && line[0] != '#' {
			found[line[:cut]] = true
		}
	}
	return found
}
