package sqlite

import (
	"context"
	"database/sql"
	"runtime"
	"time"
)

// A writer is the one goroutine that writes. It owns its connection.
type writer struct {
	path     string
	o        Options
	refusals *pending
	health   *health

	conn *connection // nil: to be opened
	last *file       // what was opened last; nil: nothing yet
}

// run serves jobs until the channel is closed. Refusals that come alone wait up
// to a second for company.
func (w *writer) run(jobs <-chan *job) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	defer func() { w.drop() }()
	for {
		select {
		case j, ok := <-jobs:
			if !ok {
				w.flush()
				return
			}
			w.serve(j, jobs)
		case <-tick.C:
			w.flush()
		}
	}
}

// serve runs first, and with it whatever else is waiting.
func (w *writer) serve(first *job, jobs <-chan *job) {
	var group []*job
	for j := first; j != nil; j = next(jobs) {
		if j.sharing == alone {
			w.commit(group)
			w.commit([]*job{j})
			return
		}
		if group = append(group, j); len(group) == w.o.MaxBatch {
			break
		}
	}
	w.commit(group)
}

// next returns a job that is waiting, or nil. Those whom the last commit
// released get a chance to come back first: without it they would find the next
// transaction begun with one job in it.
func next(jobs <-chan *job) *job {
	select {
	case j := <-jobs:
		return j
	default:
	}
	runtime.Gosched()
	select {
	case j := <-jobs:
		return j
	default:
		return nil
	}
}

// flush stores refusals that no other job took along.
func (w *writer) flush() {
	if t := w.refusals.takeAll(); len(t) > 0 {
		w.refusals.putBack(t)
		_ = w.transact(nil) // putBack keeps them; Health tells
	}
}

// commit runs the jobs that are still wanted in one transaction and tells each
// how it went.
func (w *writer) commit(group []*job) {
	wanted := group[:0]
	for _, j := range group {
		if j.take() {
			wanted = append(wanted, j)
		}
	}
	if len(wanted) == 0 {
		return
	}
	err := w.transact(wanted)
	for _, j := range wanted {
		j.result <- err
	}
}

func (w *writer) transact(group []*job) error {
	refusals := w.refusals.takeAll()
	err := w.attempt(func(t *tx) error {
		for k, n := range refusals {
			k.Gateway = t.own.Gateway
			t.counts[k] += n
		}
		for _, j := range group {
			if err := j.run(t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		w.refusals.putBack(refusals)
	}
	return err
}

// attempt runs do in a transaction. It opens the file if need be, and gives the
// connection up where the file failed, so that the next attempt starts afresh.
func (w *writer) attempt(do func(*tx) error) error {
	t, err := w.try(do)
	if err == nil {
		w.health.succeeded(t.large)
		if t.scrub {
			w.conn.scrub()
		}
		return nil
	}
	err = classify(err)
	if isUnavailable(err) {
		w.health.failed(err)
		w.drop()
	}
	return err
}

func (w *writer) try(do func(*tx) error) (*tx, error) {
	if err := w.open(); err != nil {
		return nil, err
	}
	if err := w.conn.exec("BEGIN IMMEDIATE"); err != nil {
		return nil, err
	}
	t, err := begin(w.conn, w.o.Now)
	if err == nil {
		err = do(t)
	}
	if err == nil {
		err = t.finish()
	}
	if err == nil {
		err = w.conn.exec("COMMIT")
	}
	if err != nil {
		_ = w.conn.exec("ROLLBACK") // SQLite has often rolled back itself
		return nil, err
	}
	return t, nil
}

func (w *writer) open() error {
	if w.conn != nil && !w.conn.moved() {
		return nil
	}
	w.drop()
	if w.last != nil && w.last.replaced() {
		if err := setAside(w.path); err != nil {
			return err
		}
	}
	conn, err := connect(w.path, w.o, w.last == nil)
	if err != nil {
		return err
	}
	w.conn, w.last = conn, &conn.file
	return nil
}

func (w *writer) drop() {
	if w.conn != nil {
		w.conn.close()
		w.conn = nil
	}
}

// A connection is the writer's, with its statements prepared.
type connection struct {
	file
	db         *sql.DB
	conn       *sql.Conn
	statements map[string]*sql.Stmt
}

// exec runs a statement, prepared the first time. The context is the writer's
// own: what it has taken up it brings to an end.
func (c *connection) exec(query string, args ...any) error {
	s, err := c.prepare(query)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(context.Background(), args...)
	return err
}

func (c *connection) query(query string, args ...any) (*sql.Rows, error) {
	s, err := c.prepare(query)
	if err != nil {
		return nil, err
	}
	return s.QueryContext(context.Background(), args...)
}

func (c *connection) prepare(query string) (*sql.Stmt, error) {
	if s := c.statements[query]; s != nil {
		return s, nil
	}
	s, err := c.conn.PrepareContext(context.Background(), query)
	if err != nil {
		return nil, err
	}
	c.statements[query] = s
	return s, nil
}

// scrub moves the log into the file and empties it, so that what was erased is
// gone from both. A reader may keep it from doing so; a later one will.
func (c *connection) scrub() { _ = c.exec("PRAGMA wal_checkpoint(TRUNCATE)") }

func (c *connection) close() {
	for _, s := range c.statements {
		s.Close()
	}
	c.conn.Close()
	c.db.Close()
}
