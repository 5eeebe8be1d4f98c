// Package token turns a visitor's choice into a cookie value and back.
//
// A value that grants something is signed with the first key and accepted from
// any of them, so that a key is rotated by putting a new one in front. It says
// when the choice was made, under which notice, and carries the id of the
// visitor's receipt.
//
// A value that grants nothing carries no identifier, and no time finer than a
// day either: everybody who refused under the same notice on the same day has
// the same cookie.
//
// Any error from Decode means the same to the caller: as if never asked.
package token

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gorilla/securecookie"

	"github.com/numfocus/consentgate/consent"
)

// OnceFor is how long a click on "load this once" waits for the page that uses
// it.
const OnceFor = time.Minute

// ErrInvalid says that a value was not made by this site, or is not whole.
var ErrInvalid = errors.New("not a consent token of this site")

// A Codec encodes and decodes choices. It is safe for concurrent use.
type Codec struct {
	keys  []Key
	grant []securecookie.Codec
	once  []securecookie.Codec
}

// New makes a codec that signs with the first key and accepts all of them.
func New(keys []Key) (*Codec, error) {
	if len(keys) == 0 {
		return nil, errors.New("no key to sign consent tokens with; give a key file with at least one line")
	}
	c := &Codec{keys: keys}
	for _, k := range keys {
		c.grant = append(c.grant, signer(k, 0))
		c.once = append(c.once, signer(k, OnceFor))
	}
	return c, nil
}

// Derive makes a secret of the first key for another use, which use names. It
// tells nothing of the key, nor of what is made for other uses.
func (c *Codec) Derive(use string) [32]byte {
	mac := hmac.New(sha256.New, c.keys[0][:])
	mac.Write([]byte("derive " + use))
	return [32]byte(mac.Sum(nil))
}

// signer leaves the age of a choice to [consent.Policy]: maxAge 0 is no limit.
func signer(k Key, maxAge time.Duration) securecookie.Codec {
	return securecookie.New(k[:], nil).
		MaxAge(int(maxAge.Seconds())).
		SetSerializer(packed{})
}

// The names are part of what is signed, so that a value of one kind is never
// taken for the other.
const (
	grantName = "consent"
	onceName  = "consent-once"
)

// wire is what a granting token holds; the field names are short because the
// cookie travels with every request.
type wire struct {
	Purposes consent.Purposes    `json:"p"`
	Services []consent.ServiceID `json:"s,omitempty"`
	At       int64               `json:"t"`
	Revision string              `json:"r"`
	Record   string              `json:"i,omitempty"`
	NoDNT    bool                `json:"d,omitempty"`
	NoGPC    bool                `json:"g,omitempty"`
}

// Encode gives the cookie value of a choice. It fails when the value would be
// longer than the 4,096 bytes a browser keeps.
func (c *Codec) Encode(ch consent.Choice) (string, error) {
	if !ch.Grants() {
		return c.refusal(c.keys[0], ch.At, ch.Revision), nil
	}
	value, err := securecookie.EncodeMulti(grantName, wire{
		Purposes: ch.Purposes,
		Services: ch.Services,
		At:       ch.At.Unix(),
		Revision: ch.Revision,
		Record:   ch.Record,
		NoDNT:    ch.OverrodeDNT,
		NoGPC:    ch.OverrodeGPC,
	}, c.grant...)
	if err != nil {
		return "", fmt.Errorf("sign consent token: %w", err)
	}
	return value, nil
}

// Decode reads a cookie value. Whether the choice still holds is for
// [consent.Policy.Decide] to say.
func (c *Codec) Decode(value string) (consent.Choice, error) {
	if strings.HasPrefix(value, refusedPrefix) {
		return c.decodeRefusal(value)
	}
	var w wire
	if err := securecookie.DecodeMulti(grantName, value, &w, c.grant...); err != nil {
		return consent.Choice{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return consent.Choice{
		Purposes:    w.Purposes & consent.Everything,
		Services:    w.Services,
		At:          time.Unix(w.At, 0).UTC(),
		Revision:    w.Revision,
		Record:      w.Record,
		OverrodeDNT: w.NoDNT,
		OverrodeGPC: w.NoGPC,
	}, nil
}

// EncodeOnce gives the cookie value that lets services load on one page.
func (c *Codec) EncodeOnce(services []consent.ServiceID) (string, error) {
	value, err := securecookie.EncodeMulti(onceName, services, c.once...)
	if err != nil {
		return "", fmt.Errorf("sign load-once token: %w", err)
	}
	return value, nil
}

// DecodeOnce reads what EncodeOnce gave, for as long as [OnceFor].
func (c *Codec) DecodeOnce(value string) ([]consent.ServiceID, error) {
	var services []consent.ServiceID
	if err := securecookie.DecodeMulti(onceName, value, &services, c.once...); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return services, nil
}

// A refusal is "no.20261124.REVISION.MAC". It is not made by securecookie,
// which puts the second into every value.
const (
	refusedPrefix = "no."
	dayLayout     = "20060102"
	macBytes      = 16
)

var unpadded = base64.RawURLEncoding

func (c *Codec) refusal(k Key, at time.Time, revision string) string {
	text := refusedPrefix + at.UTC().Format(dayLayout) + "." + unpadded.EncodeToString([]byte(revision))
	return text + "." + unpadded.EncodeToString(refusalMAC(k, text))
}

func refusalMAC(k Key, text string) []byte {
	mac := hmac.New(sha256.New, k[:])
	mac.Write([]byte(text))
	return mac.Sum(nil)[:macBytes]
}

func (c *Codec) decodeRefusal(value string) (consent.Choice, error) {
	text, sum, _ := cutLast(value, ".")
	got, err := unpadded.Strict().DecodeString(sum)
	if err != nil || !c.signed(text, got) {
		return consent.Choice{}, ErrInvalid
	}
	day, encoded, _ := strings.Cut(strings.TrimPrefix(text, refusedPrefix), ".")
	at, dayErr := time.Parse(dayLayout, day)
	revision, revErr := unpadded.DecodeString(encoded)
	if err := errors.Join(dayErr, revErr); err != nil {
		return consent.Choice{}, fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return consent.Choice{At: at, Revision: string(revision)}, nil
}

func (c *Codec) signed(text string, mac []byte) bool {
	for _, k := range c.keys {
		if hmac.Equal(refusalMAC(k, text), mac) {
			return true
		}
	}
	return false
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// packed is securecookie's serializer: JSON, deflated where that is shorter, so
// that a hundred services granted one by one still fit into a cookie.
type packed struct{}

func (packed) Serialize(v any) ([]byte, error) {
	plain, err := json.Marshal(v)
	if err != nil {
		return nil, err
	}
	return pack(plain)
}

func (packed) Deserialize(data []byte, v any) error {
	plain, err := unpack(data)
	if err != nil {
		return err
	}
	return json.Unmarshal(plain, v)
}
