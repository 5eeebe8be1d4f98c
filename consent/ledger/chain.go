package ledger

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"strconv"
	"time"
)

// A Digest is a SHA-256 sum, written in lower-case hex.
type Digest [sha256.Size]byte

// ParseDigest reads 64 lower-case hex digits.
func ParseDigest(s string) (Digest, error) {
	var d Digest
	return d, d.UnmarshalText([]byte(s))
}

func (d Digest) String() string { return hex.EncodeToString(d[:]) }

// MarshalText gives lower-case hex.
func (d Digest) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// UnmarshalText reads 64 lower-case hex digits.
func (d *Digest) UnmarshalText(text []byte) error {
	if len(text) != hex.EncodedLen(len(d)) {
		return fmt.Errorf("%q is not a SHA-256 sum in hex", text)
	}
	if _, err := hex.Decode(d[:], text); err != nil {
		return fmt.Errorf("%q is not a SHA-256 sum in hex", text)
	}
	if d.String() != string(text) {
		return fmt.Errorf("%q is not in lower case", text)
	}
	return nil
}

// A Kind says what the payload of an entry is.
type Kind string

const (
	KindReceipt Kind = "receipt" // a [Receipt]; can be erased
	KindErasure Kind = "erasure" // an [Erasure]; stays
)

// An Entry is the part of a link that stays.
type Entry struct {
	Gateway string
	Seq     uint64    // from 1, without gaps
	Time    time.Time // of the receipt or erasure: UTC, whole seconds
	Kind    Kind
	Digest  Digest // of the payload
	Prev    Digest // hash of the entry before
	Hash    Digest
}

// Sum is what Hash has to be.
func (e Entry) Sum() Digest {
	h := sha256.New()
	for _, line := range []string{
		"consentgate entry 1", e.Gateway, strconv.FormatUint(e.Seq, 10),
		e.Time.UTC().Format(time.RFC3339), string(e.Kind), e.Digest.String(), e.Prev.String(),
	} {
		h.Write([]byte(line + "\n"))
	}
	return Digest(h.Sum(nil))
}

// A Payload is the part of a link that can be erased.
type Payload struct {
	Salt [32]byte
	Body []byte // canonical JSON
}

// Digest is what the entry names the payload by.
func (p Payload) Digest() Digest {
	h := sha256.New()
	h.Write([]byte("consentgate payload 1\n"))
	h.Write(p.Salt[:])
	h.Write(p.Body)
	return Digest(h.Sum(nil))
}

// A Link is one record of a chain.
type Link struct {
	Entry
	Payload *Payload // nil once erased
}

// Receipt reads the receipt of a link, strictly. ok is false for an erasure and
// for a receipt that was erased.
func (l Link) Receipt() (r Receipt, ok bool, err error) {
	if l.Kind != KindReceipt || l.Payload == nil {
		return Receipt{}, false, nil
	}
	r, err = parseReceipt(l.Payload.Body)
	if err != nil {
		return Receipt{}, false, err
	}
	return r, true, nil
}

// Erasure reads the erasure of a link, strictly. ok is false for a receipt.
func (l Link) Erasure() (e Erasure, ok bool, err error) {
	if l.Kind != KindErasure || l.Payload == nil {
		return Erasure{}, false, nil
	}
	e, err = parseErasure(l.Payload.Body)
	if err != nil {
		return Erasure{}, false, err
	}
	return e, true, nil
}

// A Point is a place in a chain.
type Point struct {
	Seq  uint64
	Hash Digest
}

// A Chain is what a store knows of a gateway's chain: it holds the links after
// Base up to Head. Base is zero unless earlier links were moved elsewhere.
type Chain struct {
	Gateway    string
	Base, Head Point
}

// AppendReceipt makes the next link of the chain and moves its head there. The
// receipt must have passed Check; what is stored is its Normal form.
func (c *Chain) AppendReceipt(r Receipt) (Link, error) {
	r = r.Normal()
	body, err := r.MarshalJSON()
	if err != nil {
		return Link{}, fmt.Errorf("encode receipt: %w", err)
	}
	return c.append(KindReceipt, r.Time, body), nil
}

// AppendErasure makes the next link of the chain and moves its head there.
func (c *Chain) AppendErasure(e Erasure, at time.Time) (Link, error) {
	body, err := e.MarshalJSON()
	if err != nil {
		return Link{}, fmt.Errorf("encode erasure: %w", err)
	}
	return c.append(KindErasure, at, body), nil
}

func (c *Chain) append(kind Kind, at time.Time, body []byte) Link {
	p := &Payload{Body: body}
	rand.Read(p.Salt[:]) //nolint:errcheck // never fails
	e := Entry{
		Gateway: c.Gateway, Seq: c.Head.Seq + 1, Time: at.UTC().Truncate(time.Second),
		Kind: kind, Digest: p.Digest(), Prev: c.Head.Hash,
	}
	e.Hash = e.Sum()
	c.Head = Point{Seq: e.Seq, Hash: e.Hash}
	return Link{Entry: e, Payload: p}
}

// Extend checks that l is the next link of the chain and moves the head there.
func (c *Chain) Extend(l Link) error {
	_, err := c.extend(l)
	return err
}

// A said is what the payload of a link says; nothing, once it was erased.
type said struct {
	receipt *Receipt
	erasure *Erasure
}

func (c *Chain) extend(l Link) (said, error) {
	switch {
	case l.Gateway != c.Gateway:
		return said{}, fmt.Errorf("link of gateway %s in the chain of %s", l.Gateway, c.Gateway)
	case l.Seq != c.Head.Seq+1:
		return said{}, fmt.Errorf("%w: %d follows %d", ErrGap, l.Seq, c.Head.Seq)
	case l.Prev != c.Head.Hash:
		return said{}, fmt.Errorf("%w: entry %d does not follow what is stored before it", ErrFork, l.Seq)
	}
	if err := l.check(); err != nil {
		return said{}, err
	}
	body, err := l.read()
	if err != nil {
		return said{}, err
	}
	c.Head = Point{Seq: l.Seq, Hash: l.Hash}
	return body, nil
}

// check says whether the hashes of l are those of what was written.
func (l Link) check() error {
	if err := checkText("gateway", l.Gateway); err != nil {
		return err
	}
	switch {
	case l.Seq == 0 || l.Seq > math.MaxInt64:
		return fmt.Errorf("%d is no sequence number", l.Seq)
	case l.Kind != KindReceipt && l.Kind != KindErasure:
		return fmt.Errorf("entry is of the unknown kind %q", l.Kind)
	case l.Sum() != l.Hash:
		return errors.New("entry was changed: its hash does not fit")
	case l.Payload == nil && l.Kind == KindErasure:
		return errors.New("what the erasure named is missing")
	case l.Payload != nil && l.Payload.Digest() != l.Digest:
		return errors.New("payload was changed: its digest does not fit")
	}
	return nil
}

func (l Link) read() (said, error) {
	r, isReceipt, err := l.Receipt()
	switch {
	case err != nil:
		return said{}, err
	case isReceipt && !r.Time.Equal(l.Time):
		return said{}, errors.New("receipt and entry differ in time")
	case isReceipt:
		return said{receipt: &r}, nil
	}
	e, isErasure, err := l.Erasure()
	if err != nil || !isErasure {
		return said{}, err
	}
	return said{erasure: &e}, nil
}

// NewGateway makes an id for a gateway that has none.
func NewGateway() string {
	var b [8]byte
	rand.Read(b[:]) //nolint:errcheck // never fails
	return "g" + hex.EncodeToString(b[:])
}
