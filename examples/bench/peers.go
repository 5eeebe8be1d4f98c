package main

import (
	"fmt"
	"os"
	"path/filepath"
)

// A peer is a proxy that can be started in front of an origin.
type peer struct {
	name  string
	start func(l *lab, addr, origin string) (*process, error) // both host:port
}

// The names under which figures are compared.
const (
	gatewayName  = "consentgate"
	smallName    = "consentgate, small"
	nginxName    = "nginx proxy_pass"
	nginxBigName = "nginx proxy_pass, buffers 8x32k"
	nginxSub1    = "nginx sub_filter, gzip 1"
	nginxSub5    = "nginx sub_filter, gzip 5"
	caddyName    = "Caddy"
	plainName    = "httputil.ReverseProxy, tuned"
	leanName     = "fasthttp"
)

func nginxPeer(name, options string) peer {
	return peer{name, func(l *lab, addr, origin string) (*process, error) {
		return l.startNginx(name, addr, fmt.Sprintf(`
  upstream origin { server %s; keepalive 64; keepalive_requests 1000000000; }
  server {
    listen %s;
    location / { proxy_pass http://origin; proxy_set_header Connection ""; proxy_set_header Host $host; %s }
  }`, origin, addr, options))
	}}
}

// replacements puts something into a page in two places.
const replacements = `proxy_set_header Accept-Encoding ""; sub_filter_once on;
      sub_filter "</head>" "<!--inserted--></head>"; sub_filter "<body class=" "<!--inserted--><body class="; gzip on; `

func gatewayPeer(name, more string) peer {
	return peer{name, func(l *lab, addr, origin string) (*process, error) {
		return l.startGateway(name, addr, fmt.Sprintf("%ssites:\n  - upstream: {url: http://%s}\n", more, origin))
	}}
}

// startGateway starts one with a configuration of its own folder and address,
// and more.
func (l *lab) startGateway(name, addr, more string) (*process, error) {
	data, err := os.MkdirTemp(l.dir, "data-")
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(data, "consentgate.yaml")
	text := fmt.Sprintf("listen: [%q]\ndata: %s\nlogging: {level: warn}\n%s", addr, data, more)
	if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
		return nil, err
	}
	return start(name, addr, l.gateway, "run", "--config", conf)
}

func caddyPeer() peer {
	return peer{caddyName, func(l *lab, addr, origin string) (*process, error) {
		conf := filepath.Join(l.dir, "Caddyfile-"+addr)
		text := fmt.Sprintf("{\n admin off\n auto_https off\n persist_config off\n log {\n  level ERROR\n }\n}\nhttp://%s {\n reverse_proxy %s\n}\n", addr, origin)
		if err := os.WriteFile(conf, []byte(text), 0o644); err != nil {
			return nil, err
		}
		return start(caddyName, addr, l.caddy, "run", "--adapter", "caddyfile", "--config", conf)
	}}
}

func plainPeer() peer {
	return peer{plainName, func(l *lab, addr, origin string) (*process, error) {
		return start(plainName, addr, l.plain, "-listen", addr, "-origin", "http://"+origin)
	}}
}

func leanPeer() peer {
	return peer{leanName, func(l *lab, addr, origin string) (*process, error) {
		return start(leanName, addr, l.lean, "-listen", addr, "-origin", origin)
	}}
}

// peers are all that can be measured here.
func (l *lab) peers() []peer {
	all := []peer{
		gatewayPeer(gatewayName, ""),
		nginxPeer(nginxName, ""),
		nginxPeer(nginxBigName, "proxy_buffers 8 32k;"),
		nginxPeer(nginxSub1, replacements+"gzip_comp_level 1;"),
		nginxPeer(nginxSub5, replacements+"gzip_comp_level 5;"),
	}
	if l.plain != "" {
		all = append(all, plainPeer())
	}
	if l.lean != "" {
		all = append(all, leanPeer())
	}
	if l.caddy != "" {
		all = append(all, caddyPeer())
	}
	return all
}

// begin starts a peer.
func (l *lab) begin(p peer, origin string) (*process, error) {
	addr, err := freeAddr()
	if err != nil {
		return nil, err
	}
	return p.start(l, addr, origin)
}
