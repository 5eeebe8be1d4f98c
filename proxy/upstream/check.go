package upstream

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// startChecks asks every origin for its health path from now on, until Close.
func (u *Upstream) startChecks() {
	if u.health.Path == "" {
		return
	}
	for _, o := range u.origins {
		go u.keepChecking(u.ctx, o)
	}
}

func (u *Upstream) keepChecking(ctx context.Context, o *origin) {
	tick := time.NewTicker(u.health.Interval)
	defer tick.Stop()
	for {
		healthy := u.ask(ctx, o)
		switch {
		case ctx.Err() != nil:
			return
		case healthy:
			u.tell(o, o.pulse.checked())
		default:
			u.tell(o, o.pulse.failed(time.Now()))
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}

// ask reports whether an origin answers its health path.
func (u *Upstream) ask(ctx context.Context, o *origin) bool {
	ctx, cancel := context.WithTimeout(ctx, u.health.Timeout)
	defer cancel()
	path, query, _ := strings.Cut(u.health.Path, "?")
	req := (&http.Request{
		Method: http.MethodGet,
		URL:    &url.URL{Scheme: o.scheme, Host: o.address, Opaque: path, RawQuery: query},
		Host:   u.healthHost(o),
		Header: http.Header{"User-Agent": {pseudonym}, "Accept": {"*/*"}},
	}).WithContext(ctx)
	u.sign(req.Header)
	res, err := u.transport.RoundTrip(req)
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, err = io.Copy(io.Discard, io.LimitReader(res.Body, 64<<10)) // so that the connection can be kept
	return err == nil && res.StatusCode >= 200 && res.StatusCode < 400
}

func (u *Upstream) healthHost(o *origin) string {
	switch {
	case u.health.Host != "":
		return u.health.Host
	case u.host != hostVisitor && u.host != hostUpstream:
		return u.host
	}
	return o.address
}

// tell passes on a change of an origin's health.
func (u *Upstream) tell(o *origin, changed bool) {
	if changed && u.notify != nil {
		u.notify(State{URL: o.url, Down: o.pulse.isDown(), Requests: len(o.slots), WebSockets: len(o.sockets)})
	}
}
