package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// A lab is a folder, the programs to measure, and the origin they stand before.
type lab struct {
	dir     string
	root    string // of the module
	missing []string

	nginx   string
	gateway string
	plain   string
	lean    string
	caddy   string

	origin     *process
	plainAddr  string // the origin's answers as they are
	gzipAddr   string // the same, compressed by the origin
	ownProcess []*process
}

func newLab(gateway string) (*lab, error) {
	l := &lab{gateway: gateway}
	if err := l.prepare(); err != nil {
		l.close()
		return nil, err
	}
	return l, nil
}

func (l *lab) prepare() (err error) {
	if l.dir, err = os.MkdirTemp("", "consentgate-bench-"); err != nil {
		return err
	}
	if err = os.Chmod(l.dir, 0o755); err != nil { // nginx's workers read it
		return err
	}
	out, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return fmt.Errorf("find the module (run this inside it): %w", err)
	}
	l.root = strings.TrimSpace(string(out))
	if l.nginx, err = find("nginx"); err != nil {
		return err
	}
	if err := l.build(); err != nil {
		return err
	}
	return l.startOrigin()
}

func (l *lab) close() {
	for _, p := range l.ownProcess {
		p.stop()
	}
	os.RemoveAll(l.dir)
}

// build makes the programs. Peers that cannot be built are left out, with a
// word.
func (l *lab) build() error {
	if l.gateway == "" {
		l.gateway = filepath.Join(l.dir, "consentgate")
		if err := goBuild(l.root, l.gateway, "./cmd/consentgate"); err != nil {
			return err
		}
	}
	peers := filepath.Join(l.root, "examples/bench/peers")
	for _, p := range []struct{ name, dir, pkg string }{
		{"plain", peers, "./plain"}, {"lean", peers, "./lean"}, {"caddy", filepath.Join(peers, "caddy"), "."},
	} {
		bin := filepath.Join(l.dir, p.name)
		if err := goBuild(p.dir, bin, p.pkg); err != nil {
			l.missing = append(l.missing, fmt.Sprintf("%s could not be built: %v", p.name, err))
			continue
		}
		switch p.name {
		case "plain":
			l.plain = bin
		case "lean":
			l.lean = bin
		case "caddy":
			l.caddy = bin
		}
	}
	l.missing = append(l.missing, "Caddy's replace-response is no module one can fetch at every proxy; Caddy is measured passing pages on")
	return nil
}

func goBuild(dir, bin, pkg string) error {
	cmd := exec.Command("go", "build", "-trimpath", "-o", bin, pkg)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		return fmt.Errorf("build %s: %s", pkg, lines[len(lines)-1])
	}
	return nil
}

// keep stops p at the end.
func (l *lab) keep(p *process, err error) (*process, error) {
	if err == nil {
		l.ownProcess = append(l.ownProcess, p)
	}
	return p, err
}

// The paths of the origin.
const (
	pathSame  = "/same.html" // the same bytes every time
	pathNew   = "/new.html"  // a comment in it is another one every time
	pathAsset = "/asset.js"
)

// startOrigin starts nginx with the page and an asset of 10 KB, at one address
// as they are and at another compressed, as a site without a gateway would send
// them.
func (l *lab) startOrigin() (err error) {
	www := filepath.Join(l.dir, "www")
	if err := os.Mkdir(www, 0o755); err != nil {
		return err
	}
	for name, text := range map[string]string{
		pathSame:  homePage("<!-- 0123456789abcdef0123456789abcdef -->\n"),
		pathNew:   homePage("<!-- <!--# echo var=\"request_id\" --> -->\n"),
		pathAsset: strings.Repeat("function tide(a,b){return a*b+1}\n", 330)[:10<<10],
	} {
		if err := os.WriteFile(filepath.Join(www, name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	if l.plainAddr, err = freeAddr(); err != nil {
		return err
	}
	if l.gzipAddr, err = freeAddr(); err != nil {
		return err
	}
	server := `server {
  listen %s;
  root ` + www + `;
  %s
  location = /new.html { ssi on; }
}
`
	l.origin, err = l.keep(l.startNginx("origin", l.plainAddr,
		fmt.Sprintf(server, l.plainAddr, "")+fmt.Sprintf(server, l.gzipAddr, "gzip on; gzip_comp_level 1;")))
	return err
}

// startNginx starts one with two workers and servers in its configuration.
func (l *lab) startNginx(name, addr, servers string) (*process, error) {
	dir, err := os.MkdirTemp(l.dir, "nginx-")
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	conf := filepath.Join(dir, "nginx.conf")
	text := fmt.Sprintf(nginxConf, dir, servers)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		return nil, err
	}
	return start(name, addr, l.nginx, "-p", dir, "-c", conf, "-e", filepath.Join(dir, "error.log"))
}

const nginxConf = `daemon off;
master_process on;
worker_processes 2;
pid %[1]s/pid;
error_log stderr crit;
events { worker_connections 4096; }
http {
  access_log off;
  types { text/html html; text/javascript js; }
  charset utf-8;
  sendfile on;
  keepalive_requests 1000000000;
  keepalive_timeout 1h;
  client_body_temp_path %[1]s/body; proxy_temp_path %[1]s/proxy; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  proxy_http_version 1.1;
  %[2]s
}
`
