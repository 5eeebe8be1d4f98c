package postgres

import (
	"database/sql"
	"errors"
	"flag"
	"os"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/stdlib"

	"github.com/numfocus/consentgate/consent/ledger/postgres/postgrestest"
)

// shared is the cluster of all tests, or why there is none.
var shared struct {
	*postgrestest.Cluster
	err error
}

func TestMain(m *testing.M) {
	flag.Parse()
	shared.Cluster, shared.err = postgrestest.New(flag.Lookup("test.bench").Value.String() != "")
	code := m.Run()
	if shared.err == nil {
		_ = shared.Remove()
	}
	os.Exit(code)
}

// running is the cluster, started; where PostgreSQL is not installed the test
// is skipped.
func running(t testing.TB) *postgrestest.Cluster {
	t.Helper()
	switch {
	case errors.Is(shared.err, postgrestest.ErrNotInstalled) && os.Getenv("CI") != "true":
		t.Skip(shared.err)
	case shared.err != nil:
		t.Fatal(shared.err)
	}
	return shared.Cluster
}

func connect(t testing.TB, url string) *sql.DB {
	t.Helper()
	conf, err := pgx.ParseConfig(url)
	must(t, err)
	return stdlib.OpenDB(*conf)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
