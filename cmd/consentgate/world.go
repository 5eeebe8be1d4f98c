package main

import (
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"

	"github.com/numfocus/consentgate/consent/token"
	"github.com/numfocus/consentgate/proxy"
	"github.com/numfocus/consentgate/proxy/admin"
)

// A world is all that a configuration says of sites, keys and the log. It never
// changes: a reload makes another one.
type world struct {
	conf    config
	log     zerolog.Logger
	gateway *proxy.Gateway
}

// worlds is the world in force, and how to make the next one. The ledger, the
// inventory and the listeners outlive them all.
type worlds struct {
	read    func() (config, error) // the configuration as it is written now
	logTo   io.Writer
	parts   proxy.Parts // of every gateway
	metrics *admin.Metrics

	now     atomic.Pointer[world]
	refused atomic.Pointer[string] // why the last reload failed; nil: it did not

	mu sync.Mutex // one reload at a time
}

// ServeHTTP hands a request to the world in force, in which it stays.
func (ws *worlds) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	ws.now.Load().gateway.ServeHTTP(w, r)
}

// begin makes the first world.
func (ws *worlds) begin(conf config) error {
	first, err := ws.make(conf, nil, token.LoadOrCreateKeys)
	if err != nil {
		return err
	}
	ws.now.Store(first)
	return nil
}

// make prepares everything that can fail. The world before may be nil.
func (ws *worlds) make(conf config, before *world, load func(path string) ([]token.Key, error)) (*world, error) {
	keys, err := load(conf.keyFile())
	if err != nil {
		return nil, err
	}
	parts := ws.parts
	if parts.Tokens, err = token.New(keys); err != nil {
		return nil, err
	}
	if before != nil {
		parts.After = before.gateway
	}
	parts.Log = conf.Logging.logger(ws.logTo)
	parts.Addresses = proxy.Addresses(conf.Logging.Addresses)
	gateway, err := proxy.New(conf.Proxy, parts)
	if err != nil {
		return nil, err
	}
	return &world{conf: conf, log: parts.Log, gateway: gateway}, nil
}

// reload makes a new world of the configuration as it is written now, and puts it
// in force; what is under way ends in the old one. Where that cannot be done,
// nothing changes, and the error has every reason, a line each.
func (ws *worlds) reload() (said string, err error) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	old := ws.now.Load()
	next, left, err := ws.next(old)
	ws.metrics.Reloaded(err == nil, time.Now())
	if err != nil {
		why := err.Error()
		ws.refused.Store(&why)
		old.log.Error().Strs("mistakes", lines(why)).Msg("reload: nothing was changed")
		return "", err
	}
	ws.refused.Store(nil)
	ws.now.Store(next)
	old.gateway.Retire()
	e := next.log.Info()
	if len(left) > 0 {
		e = next.log.Warn().Strs("needs_restart", left)
	}
	e.Int("sites", len(next.conf.Proxy.Sites)).Msg("reload: the new configuration is in force")
	return reloaded(next.conf, left), nil
}

func (ws *worlds) next(old *world) (next *world, left []string, err error) {
	conf, err := ws.read()
	if err != nil {
		return nil, nil, err
	}
	left = settle(&conf, old.conf)
	next, err = ws.make(conf, old, token.LoadKeys)
	return next, left, err
}

// reloaded tells whoever asked what came of it.
func reloaded(conf config, left []string) string {
	said := fmt.Sprintf("The new configuration is in force, with %s.", count(len(conf.Proxy.Sites), "site"))
	for _, name := range left {
		said += fmt.Sprintf("\n%s has changed, which takes a restart; it is as it was.", name)
	}
	return said
}

// log is that of the world in force.
func (ws *worlds) log() *zerolog.Logger { return &ws.now.Load().log }

// background runs f in a goroutine of wait's. A bug in it is logged and counted,
// and does not end the program.
func (ws *worlds) background(wait *sync.WaitGroup, what string, f func()) {
	wait.Go(func() {
		defer func() {
			if value := recover(); value != nil {
				ws.metrics.Panicked("background")
				ws.log().Error().Str("where", what).Str("panic", fmt.Sprint(value)).Bytes("stack", debug.Stack()).Msg("bug")
			}
		}()
		f()
	})
}
