package serve

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/numfocus/consentgate/consent"
)

func listening(t *testing.T, name string) socket {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	return socket{name, l}
}

func TestSocketsOfSystemdByName(t *testing.T) {
	web, more, ops := listening(t, "http"), listening(t, ""), listening(t, "ops")
	r := startWith(t, Config{Listen: []string{"systemd:http", "systemd"}, Ops: "systemd:ops"},
		Handlers{Site: answer("site"), Ops: answer("ops")}, Parts{Sockets: &Sockets{system: []socket{more, ops, web}}})
	if len(r.Site) != 2 || r.Site[0] != web.listener.Addr() || r.Site[1] != more.listener.Addr() || r.Ops != ops.listener.Addr() {
		t.Errorf("%+v", r.Addrs)
	}
	for a, want := range map[net.Addr]string{r.Site[0]: "site", r.Site[1]: "site", r.Ops: "ops"} {
		if _, body := get(t, a); body != want {
			t.Errorf("%s answers %q", a, body)
		}
	}
}

func TestSocketsThatDoNotFit(t *testing.T) {
	for name, c := range map[string]struct {
		listen string
		has    []socket
		want   string
	}{
		"none was given":      {"systemd", nil, "no socket"},
		"none of that name":   {"systemd:http", []socket{listening(t, "https")}, "no socket"},
		"one nobody asks for": {"127.0.0.1:0", []socket{listening(t, "http")}, "no address asks for"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(Config{Listen: []string{c.listen}}, Parts{Log: io.Discard, Sockets: &Sockets{system: c.has}})
			must(t, err)
			if err := s.Run(context.Background(), Handlers{Site: answer("")}, nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("Run: %v", err)
			}
		})
	}
}

func TestInheritRefusesNonsense(t *testing.T) {
	pid := fmt.Sprint(os.Getpid())
	for _, variables := range []map[string]string{
		{socketsVariable: "{"},
		{"LISTEN_PID": pid, "LISTEN_FDS": "many"},
		{"LISTEN_PID": pid, "LISTEN_FDS": "-1"},
		{"LISTEN_PID": pid, "LISTEN_FDS": "100000"},
	} {
		if s, err := Inherit(func(name string) string { return variables[name] }); err == nil {
			t.Errorf("%v: %+v", variables, s)
		}
	}
	if s, err := Inherit(func(name string) string { return map[string]string{"LISTEN_PID": "1", "LISTEN_FDS": "1"}[name] }); s != nil || err != nil {
		t.Errorf("another process's sockets: %+v, %v", s, err)
	}
}

func TestFailuresWaitLongerAndLonger(t *testing.T) {
	f, now := newFailures(), time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	for _, wait := range []time.Duration{15 * time.Minute, 30 * time.Minute, time.Hour, 2 * time.Hour, 4 * time.Hour, 6 * time.Hour, 6 * time.Hour} {
		f.note("site.example", now)
		if f.check("site.example", now.Add(wait-time.Second)) == nil || f.check("site.example", now.Add(wait)) != nil {
			t.Errorf("it does not wait for %v", wait)
		}
	}
	if f.check("other.example", now) != nil {
		t.Error("another host has to wait")
	}
	f.forget("site.example")
	if f.check("site.example", now) != nil {
		t.Error("it waits after it has gone well")
	}
}

// TestCheckTLS wants every mistake, each with a cure.
func TestCheckTLS(t *testing.T) {
	for name, c := range map[string]struct {
		config TLSConfig
		fields string
	}{
		"nothing":        {TLSConfig{}, ""},
		"an authority":   {TLSConfig{ACME: ACMEConfig{Email: "a@example.org"}}, ""},
		"no certificate": {TLSConfig{HTTP3: true}, "tls"},
		"no address":     {TLSConfig{ACME: ACMEConfig{Directory: letsEncrypt}}, "tls.acme.email"},
		"a bit of everything": {TLSConfig{
			Listen: []string{"443"}, Plain: "maybe", HSTS: HSTSConfig{Preload: true},
			Files: []CertificateFile{{"/nowhere", "/nowhere"}},
			ACME:  ACMEConfig{Email: "x", Directory: "http://a", CAFile: "/nowhere", EAB: EAB{ID: "1"}},
		}, "tls.listen[0] tls.plain tls.files[0] tls.acme.email tls.acme.directory tls.acme.ca_file tls.acme.eab tls.hsts.max_age"},
	} {
		t.Run(name, func(t *testing.T) {
			var fields []string
			for _, m := range consent.Mistakes(Config{TLS: c.config}.Check()) {
				if fields = append(fields, m.Field); m.Cure == "" || m.Problem == "" {
					t.Errorf("%+v", m)
				}
			}
			if got := strings.Join(fields, " "); got != c.fields {
				t.Errorf("mistakes in %q, want %q", got, c.fields)
			}
		})
	}
}
