// Package ledger keeps the proof that visitors consented: append-only, hash
// chained, and with nothing about a visitor but what the proof needs. It holds
// no address, no user agent and no URL.
//
// # What is kept
//
// A [Receipt] for every choice that grants something, changes or withdraws it;
// every served [Notice] whole, under the hash that receipts name; and a [Count]
// per day, so that statistics outlive the receipts. A refusal is only counted.
//
// # The chain
//
// Every gateway writes one chain of its own. A link of it is an [Entry], which
// stays for ever, and a [Payload], which can be erased. The entry names the
// payload only by a salted digest, so that the chain can be checked after an
// erasure and what was erased cannot be guessed back.
//
// The body of a payload is JSON in the canonical form of RFC 8785: keys sorted,
// no white space. Its digest is the SHA-256 of
//
//	consentgate payload 1 LF
//	<salt, 32 random bytes> <body>
//
// and the hash of an entry is the SHA-256 of eight lines, each ended by LF:
//
//	consentgate entry 1
//	<gateway>
//	<sequence number, from 1, decimal>
//	<time, RFC 3339, UTC, whole seconds>
//	<kind: receipt or erasure>
//	<digest of the payload, lower-case hex>
//	<hash of the entry before, lower-case hex; 64 zeros for the first>
//
// so that a chain can be checked with a shell and sha256sum.
//
// An erasure is itself a link: an [Erasure] names the entries whose payloads
// went, and why. A payload that is missing without one was taken, not erased.
//
// # What the chain proves
//
// [Verify] finds every record that was changed, dropped, put in between or
// moved, also at the end of a chain, since each chain's head is kept beside it.
// Somebody who can rewrite the whole store, heads included, could forge a whole
// chain; note the head that verify prints somewhere else from time to time and
// hand it to the next verify as an anchor: a chain that does not lead through
// it was rewritten.
package ledger
