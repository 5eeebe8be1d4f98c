package postgres

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
)

//go:embed migrations/*.sql
var migrations embed.FS

// migrationLock is the advisory lock under which one gateway at a time
// migrates: "CGLE".
const migrationLock = 0x43474c45

var errNewer = errors.New("the database was written by a newer version of consentgate")

// steps are the migrations in order: step i leads from version i to i+1.
func steps() []string {
	names, err := fs.Glob(migrations, "migrations/*.sql") // sorted
	if err != nil {
		panic(err) // the pattern is a constant
	}
	return names
}

// migrate brings the schema up to version to, all steps in one transaction.
func migrate(ctx context.Context, db *sql.DB, to int) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to do
	version, err := lockVersion(ctx, tx)
	if err != nil {
		return fmt.Errorf("read the version of the schema: %w", err)
	}
	if version > len(steps()) {
		return errNewer
	}
	for v := version; v < to; v++ {
		if err := apply(ctx, tx, steps()[v]); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, "UPDATE consentgate_schema SET version = greatest(version, $1)", to); err != nil {
		return err
	}
	return tx.Commit()
}

func lockVersion(ctx context.Context, tx *sql.Tx) (version int, err error) {
	for _, query := range []string{
		fmt.Sprintf("SELECT pg_advisory_xact_lock(%d)", migrationLock),
		"CREATE TABLE IF NOT EXISTS consentgate_schema (version int NOT NULL)",
		"INSERT INTO consentgate_schema SELECT 0 WHERE NOT EXISTS (SELECT 1 FROM consentgate_schema)",
	} {
		if _, err := tx.ExecContext(ctx, query); err != nil {
			return 0, err
		}
	}
	return version, tx.QueryRowContext(ctx, "SELECT version FROM consentgate_schema").Scan(&version)
}

func apply(ctx context.Context, tx *sql.Tx, name string) error {
	script, err := migrations.ReadFile(name)
	if err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, string(script)); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return nil
}
