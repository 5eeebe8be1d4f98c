package main

import (
	"fmt"
	"slices"
	"time"
)

// A ping is the latencies of one proxy.
type ping struct {
	name, path, accept string
	v                  *visitor
	took               []float64 // milliseconds to the first byte
}

// pause is the time between two requests: all of them together leave the
// processors idle.
const pause = 4 * time.Millisecond

// measureLatency asks one proxy after another at a low fixed rate, so that all
// of them see the same seconds.
func measureLatency(l *lab, p plan, r *results) error {
	servers, err := l.beginAll()
	if err != nil {
		return err
	}
	defer stopAll(servers)
	r.pings = []*ping{
		{name: "origin", path: pathNew},
		{name: nginxName, path: pathNew},
		{name: plainName, path: pathNew},
		{name: caddyName, path: pathNew},
		{name: gatewayName, path: pathSame, accept: browser},
		{name: gatewayName, path: pathNew, accept: browser},
		{name: gatewayName, path: pathNew, accept: gzipOnly},
		{name: nginxSub1, path: pathNew, accept: gzipOnly},
	}
	for _, one := range r.pings {
		addr := l.plainAddr
		if one.name != "origin" {
			if servers[one.name] == nil {
				continue
			}
			addr = servers[one.name].addr
		}
		if one.v, err = dial(addr); err != nil {
			return err
		}
		defer one.v.close()
	}
	r.pings = slices.DeleteFunc(r.pings, func(one *ping) bool { return one.v == nil })
	return pingAll(r.pings, p.pings)
}

func pingAll(pings []*ping, times int) error {
	const warm = 20
	next := time.Now()
	for i := range times + warm {
		for _, one := range pings {
			next = next.Add(pause)
			time.Sleep(time.Until(next))
			begun := time.Now()
			_, _, first, err := one.v.get(one.path, one.accept)
			if err != nil {
				return fmt.Errorf("%s: %w", one.name, err)
			}
			if i >= warm {
				one.took = append(one.took, float64(first.Sub(begun).Microseconds())/1000)
			}
		}
	}
	return nil
}

func (r *results) ping(name, path, accept string) *ping {
	for _, one := range r.pings {
		if one.name == name && one.path == path && one.accept == accept {
			return one
		}
	}
	return nil
}
