package main

import (
	"cmp"
	"flag"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

type healthOptions struct {
	admin string
	ready bool
}

// opsAddress is where health asks unless it is told.
const opsAddress = "127.0.0.1:9090"

func (o *healthOptions) register(f *flag.FlagSet) {
	f.StringVar(&o.admin, "admin", opsAddress, "`ADDR` of the gateway's ops listener")
	f.BoolVar(&o.ready, "ready", false, "ask whether visitors are served in full, rather than whether it lives")
}

// healthPatience is how long an answer may take; who asks has limits of its own.
const healthPatience = 5 * time.Second

func healthCommand(c console, args []string) int {
	var o healthOptions
	rest, code, ok := parse(c, "health", &o, args)
	switch {
	case !ok:
		return code
	case len(rest) > 0:
		return misuse(c, "health", "what is %q?", rest[0])
	}
	said, err := o.ask()
	if err != nil {
		return failed(c, "health", err)
	}
	fmt.Fprintln(c.out, said)
	return exitFine
}

// ask returns what the gateway says of itself; anything but 200 is an error.
func (o healthOptions) ask() (string, error) {
	path := "/healthz"
	if o.ready {
		path = "/readyz?strict"
	}
	client := http.Client{Timeout: healthPatience}
	resp, err := client.Get(opsURL(o.admin, path))
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, 4096))
	if err != nil {
		return "", err
	}
	said := strings.TrimSpace(string(body))
	if resp.StatusCode != http.StatusOK {
		return "", fmt.Errorf("%s", cmp.Or(said, resp.Status))
	}
	return said, nil
}

// opsURL is a path at an operators' address, which may be given as a URL.
func opsURL(admin, path string) string {
	if !strings.Contains(admin, "://") {
		admin = "http://" + admin
	}
	return strings.TrimSuffix(strings.TrimSuffix(admin, "/"), "/metrics") + path
}
