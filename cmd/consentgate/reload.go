package main

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

type reloadOptions struct{ admin, config string }

func (o *reloadOptions) register(f *flag.FlagSet) {
	f.StringVar(&o.admin, "admin", "", "`ADDR` of the gateway's operators' listener; that of the file, or "+opsAddress)
	f.StringVar(&o.config, "config", "", "the gateway's configuration `FILE`, which says where it listens for operators")
}

func reloadCommand(c console, args []string) int {
	var o reloadOptions
	rest, code, ok := parse(c, "reload", &o, args)
	switch {
	case !ok:
		return code
	case len(rest) > 0:
		return misuse(c, "reload", "what is %q?", rest[0])
	}
	said, err := askReload(cmp.Or(o.admin, opsOf(o.config), opsAddress))
	if err != nil {
		return failed(c, "reload", err)
	}
	fmt.Fprintln(c.out, said)
	return exitFine
}

// opsOf is the operators' address that a file names. It may be full of mistakes:
// the gateway is who tells them.
func opsOf(path string) string {
	text, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	conf, _ := parseConfig(path, text)
	return conf.Serve.Ops
}

// reloadPatience is how long a gateway may take to prepare hundreds of sites.
const reloadPatience = time.Minute

// askReload has the gateway at an address take its configuration anew, and
// returns what it says.
func askReload(admin string) (string, error) {
	client := http.Client{Timeout: reloadPatience}
	res, err := client.Post(opsURL(admin, "/reload"), "", nil)
	if err != nil {
		return "", fmt.Errorf("ask the gateway (ops: in its configuration, or --admin, says where): %w", err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return "", fmt.Errorf("ask the gateway: %w", err)
	}
	said := strings.TrimSpace(string(body))
	switch res.StatusCode {
	case http.StatusOK:
		return said, nil
	case http.StatusUnprocessableEntity:
		return "", errors.New("nothing was changed\n" + said)
	}
	return "", fmt.Errorf("ask the gateway: it answers %s", res.Status)
}

// reread gives the configuration as it is written now, each time it is called;
// its error is all that is wrong with it, a line each.
func (o runOptions) reread(getenv func(string) string) func() (config, error) {
	return func() (config, error) {
		var said bytes.Buffer
		conf, _, ok := o.configuration(console{out: &said, err: &said, getenv: getenv})
		if !ok {
			return config{}, errors.New(strings.TrimSpace(said.String()))
		}
		return conf, nil
	}
}

func lines(text string) []string { return strings.Split(text, "\n") }

// hangups tells of SIGHUP.
func hangups() (told <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGHUP)
	return c, func() { signal.Stop(c) }
}

// reloadWhenTold reloads at every SIGHUP until ctx is done. The log has what came
// of it.
func reloadWhenTold(ctx context.Context, told <-chan os.Signal, reload func(context.Context) (string, error)) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-told:
			_, _ = reload(ctx)
		}
	}
}
