// Package postgres keeps the ledger of several gateways in one PostgreSQL
// database.
//
// A gateway does not wait for PostgreSQL. A grant is durable once it is in the
// gateway's outbox, a ledger in a local file, and a goroutine ships what is in
// there: in order, in batches, and so that it can be repeated. PostgreSQL may be
// away for hours; nothing is lost, and nothing is stored twice, since a batch
// goes in whole or not at all and what is there already is skipped.
//
// What PostgreSQL has stays in the outbox for a while longer ([Config].Keep),
// so that a server that fails over to a copy which lags behind is told again
// what it missed. For so long an erasure that another gateway made may leave a
// copy in this gateway's file; Find does not show it.
//
// Every gateway writes a chain of its own, and PostgreSQL holds all of them:
// verify, export and stats see them together.
package postgres
