package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"

	"github.com/numfocus/consentgate/consent/ledger"
)

//go:embed migrations/*.sql
var migrations embed.FS

// applicationID marks the file as a ledger: "CGLE".
const applicationID = 0x43474c45

var (
	errNewer   = errors.New("the file was written by a newer version of consentgate")
	errOlder   = errors.New("the file was written by an older version of consentgate; open it once for writing to bring it up to date")
	errForeign = errors.New("the file is an SQLite database but no ledger")
)

// steps are the migrations in order: step i leads from version i to i+1.
func steps() []string {
	names, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		panic(err) // the pattern is a constant
	}
	return names
}

// migrate brings the schema up to date, one transaction for each step, and
// gives the file a chain of its own. Several processes may try at once.
func migrate(c *connection) error {
	version, err := version(c.conn)
	if err != nil {
		return err
	}
	for version < len(steps()) {
		if version, err = step(c, steps()); err != nil {
			return fmt.Errorf("bring the schema up to date: %w", err)
		}
	}
	return begetOwn(c)
}

// step does the next step, whichever that is once the file is locked, and
// returns the version it led to.
func step(c *connection, steps []string) (int, error) {
	if err := c.exec("BEGIN IMMEDIATE"); err != nil {
		return 0, err
	}
	at, err := version(c.conn)
	if err == nil && at < len(steps) {
		err = apply(c.conn, steps[at], at+1)
		at++
	}
	if err == nil {
		err = c.exec("COMMIT")
	}
	if err != nil {
		_ = c.exec("ROLLBACK")
		return 0, err
	}
	return at, nil
}

func apply(conn *sql.Conn, name string, to int) error {
	script, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	end := fmt.Sprintf("PRAGMA user_version = %d; PRAGMA application_id = %d;", to, applicationID)
	if _, err := conn.ExecContext(context.Background(), string(script)+end); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}

type querier interface {
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// version reads how far the schema is, and refuses what is no ledger.
func version(q querier) (int, error) {
	var version, application, tables int
	err := q.QueryRowContext(context.Background(),
		`SELECT user_version, application_id, (SELECT count(*) FROM sqlite_schema)
		FROM pragma_user_version, pragma_application_id`).Scan(&version, &application, &tables)
	switch {
	case err != nil:
		return 0, err
	case tables == 0:
		return 0, nil
	case application != applicationID:
		return 0, errForeign
	case version > len(steps()):
		return 0, errNewer
	}
	return version, nil
}

// checkVersion is for readers, who cannot migrate.
func checkVersion(db *sql.DB) error {
	v, err := version(db)
	if err == nil && v < len(steps()) {
		return errOlder
	}
	return err
}

func begetOwn(c *connection) error {
	var have bool
	err := c.conn.QueryRowContext(context.Background(), "SELECT EXISTS (SELECT 1 FROM chain WHERE own = 1)").Scan(&have)
	if err != nil || have {
		return err
	}
	return c.exec(`INSERT INTO chain (gateway, own, base_seq, base_hash, head_seq, head_hash)
		SELECT ?, 1, 0, zeroblob(32), 0, zeroblob(32) WHERE NOT EXISTS (SELECT 1 FROM chain WHERE own = 1)`, ledger.NewGateway())
}
