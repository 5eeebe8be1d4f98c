package main

import (
	"slices"
	"testing"
	"time"
)

func TestSettle(t *testing.T) {
	var now config
	now.Serve.Listen = []string{":80"}
	now.Data = "d"
	next := now
	next.Serve.Listen = []string{":81"}
	next.Serve.HeaderTimeout = time.Second
	next.Admin.Profiling = true
	next.Data = "e"
	next.Ledger.Postgres.URL = "postgres://db"
	next.Logging.Level = "debug"
	next.Proxy.Cookie.Domain = "example.org"
	left := settle(&next, now)
	if want := []string{"listen", "header_timeout", "profiling", "data", "ledger.postgres"}; !slices.Equal(left, want) {
		t.Errorf("%q", left)
	}
	if next.Serve.Listen[0] != ":80" || next.Data != "d" || next.Ledger.Postgres.URL != "" {
		t.Error("what takes a restart has changed")
	}
	if next.Logging.Level != "debug" || next.Proxy.Cookie.Domain != "example.org" {
		t.Error("what takes none has not")
	}
	if left := settle(&next, next); len(left) > 0 {
		t.Errorf("nothing has changed, and %q", left)
	}
}
