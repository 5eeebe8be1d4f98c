package main

import (
	"slices"
	"testing"
)

// rooms is the architecture: one line for each room, and nothing that is not
// on its line. A name ending in "/..." stands for the package and all below it.
// Tests may import what they like; what is built may not.
func rooms() []room {
	loggers := []string{"log", "log/slog"}
	pure := with(loggers, "net", "net/http/...", "database/sql/...", "os/exec")
	driver := with(loggers, "net/http/...")
	edge := with(loggers, "database/sql/...", "os/exec")
	return []room{
		{dir: "assets"},

		{dir: "consent", never: pure},
		{dir: "consent/signal", ours: []string{"consent"}, never: pure},
		{dir: "consent/catalog", ours: []string{"consent"}, never: pure},
		{dir: "consent/token", ours: []string{"consent"}, never: pure},
		{dir: "consent/ledger", ours: []string{"consent"}, never: pure},
		{dir: "consent/ledger/ledgertest", ours: []string{"consent", "consent/ledger"}, never: pure},
		{dir: "consent/ledger/sqlite", ours: []string{"consent", "consent/ledger"}, never: driver},
		{dir: "consent/ledger/postgres", ours: []string{"consent", "consent/ledger"}, never: driver},
		{dir: "consent/ledger/postgres/postgrestest", never: driver}, // for tests of several rooms

		{dir: "proxy/upstream", ours: []string{"consent"}, never: edge},
		{dir: "proxy/cookies", ours: []string{"consent", "consent/catalog"}, never: with(edge, "net/http/...")},
		{dir: "proxy/headers", ours: []string{"consent", "consent/catalog"}, never: edge},
		{dir: "proxy/rewrite", never: with(edge, "net")},
		{dir: "proxy/memo", ours: []string{"consent"}, never: edge},
		{dir: "proxy/encode", ours: []string{"consent"}, never: edge},
		{dir: "proxy/inventory", ours: []string{"consent", "consent/catalog"}, never: edge},
		{dir: "proxy/banner", ours: []string{"assets", "consent", "consent/catalog", "consent/ledger"}, never: edge},
		{dir: "proxy/endpoint", ours: []string{"assets", "consent", "consent/catalog", "consent/ledger", "consent/signal", "consent/token", "proxy/banner", "proxy/inventory"}, never: edge},
		{dir: "proxy/admin", ours: []string{"assets", "consent", "consent/catalog", "consent/ledger", "proxy/banner", "proxy/inventory"}, never: edge},
		{dir: "proxy/serve", ours: []string{"consent"}, never: []string{"database/sql/..."}}, // net/http wants a log.Logger

		// The path of one request: it knows every room but the drivers and the
		// sockets.
		{dir: "proxy", ours: []string{
			"assets", "consent", "consent/catalog", "consent/ledger", "consent/signal", "consent/token",
			"proxy/banner", "proxy/cookies", "proxy/encode", "proxy/endpoint", "proxy/headers",
			"proxy/inventory", "proxy/memo", "proxy/rewrite", "proxy/upstream",
		}, never: edge},

		// It introduces everybody to each other.
		{dir: "cmd/consentgate", ours: []string{"consent/...", "proxy/...", "assets", "examples/demo"}, never: loggers},
		{dir: "examples/demo", never: edge},
		{dir: "examples/...", ours: []string{"consent/...", "proxy/..."}}, // programs of their own
	}
}

// with is append that leaves list alone.
func with(list []string, more ...string) []string { return slices.Concat(list, more) }

// modules says where a third-party module may be imported: one room, so that
// replacing it touches one folder. golang.org/x is part of the standard library
// by another name.
func modules() map[string][]string {
	return map[string][]string{
		"github.com/andybalholm/brotli":       {"proxy/encode"},
		"github.com/molecule-man/go-brrr":     {"proxy/encode"},
		"github.com/klauspost/compress":       {"proxy/encode"},
		"github.com/dunglas/httpsfv":          {"proxy/headers"},
		"github.com/gorilla/securecookie":     {"consent/token"},
		"github.com/jackc/pgx/v5":             {"consent/ledger/postgres"},
		"modernc.org/sqlite":                  {"consent/ledger/sqlite"},
		"github.com/caddyserver/certmagic":    {"proxy/serve"},
		"go.uber.org/zap":                     {"proxy/serve"}, // certmagic's logger
		"github.com/mholt/acmez":              {"proxy/serve"}, // certmagic's account bindings
		"github.com/quic-go/quic-go":          {"proxy/serve"},
		"github.com/pires/go-proxyproto":      {"proxy/serve"},
		"github.com/prometheus/client_golang": {"proxy/admin"},
		"github.com/mattn/go-isatty":          {"cmd/consentgate"},
		"github.com/rs/zerolog":               {"cmd/consentgate", "proxy"}, // the two that log
		"github.com/chromedp/chromedp":        {"cmd/consentgate"},
		"github.com/chromedp/cdproto":         {"cmd/consentgate"},
		"github.com/google/go-cmp":            {"consent/ledger/ledgertest"}, // and tests
		"go.yaml.in/yaml/v4":                  {"cmd/consentgate", "consent/catalog", "proxy/banner"},
		"golang.org/x/...":                    {"..."},
	}
}

// folders are the only ones at the top level.
func folders() []string { return []string{"assets", "cmd", "consent", "examples", "proxy"} }

// longest is how many lines a file may have and still be one idea.
const longest = 500

func TestArchitecture(t *testing.T) {
	for _, violation := range checkTree(t, "../..", rules{
		module:  "github.com/numfocus/consentgate",
		rooms:   rooms(),
		modules: modules(),
		folders: folders(),
		longest: longest,
	}) {
		t.Error(violation)
	}
}
