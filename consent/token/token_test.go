package token

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/gorilla/securecookie"

	"github.com/numfocus/consentgate/consent"
)

var made = time.Date(2026, 11, 24, 13, 17, 22, 0, time.UTC)

func codec(t *testing.T, keys ...Key) *Codec {
	t.Helper()
	c, err := New(keys)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func encode(t *testing.T, c *Codec, ch consent.Choice) string {
	t.Helper()
	value, err := c.Encode(ch)
	if err != nil {
		t.Fatalf("Encode(%+v): %v", ch, err)
	}
	return value
}

func granted() consent.Choice {
	return consent.Choice{
		Purposes:    consent.PurposesOf(consent.Statistics),
		Services:    []consent.ServiceID{"typeform", "youtube"},
		At:          made,
		Revision:    "2026-11-01",
		Record:      "5b0e7b5c-3d8a-4f1e-8c21-000000000001",
		OverrodeDNT: true,
		OverrodeGPC: true,
	}
}

func TestChoiceComesBackAsItWas(t *testing.T) {
	c := codec(t, NewKey())
	for _, tt := range []struct {
		name string
		give consent.Choice
	}{
		{"everything set", granted()},
		{"one purpose", consent.Choice{Purposes: consent.PurposesOf(consent.Marketing), At: made, Revision: "r"}},
		{"one service", consent.Choice{Services: []consent.ServiceID{"vimeo"}, At: made}},
		{"revision of another script", consent.Choice{Purposes: consent.Everything, At: made, Revision: "наступна; \"1\""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := c.Decode(encode(t, c, tt.give))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.give, got); diff != "" {
				t.Errorf("(-gave +got)\n%s", diff)
			}
		})
	}
}

func TestRefusalSaysNothingAboutTheVisitor(t *testing.T) {
	c := codec(t, NewKey())
	morning := consent.Choice{At: made, Revision: "2026-11-01"}
	evening := consent.Choice{At: made.Add(10 * time.Hour), Revision: "2026-11-01", Record: "must not be there"}

	a, b := encode(t, c, morning), encode(t, c, evening)
	if a != b {
		t.Errorf("two visitors who refused on one day can be told apart:\n%s\n%s", a, b)
	}
	got, err := c.Decode(a)
	if err != nil {
		t.Fatal(err)
	}
	want := consent.Choice{At: made.Truncate(24 * time.Hour), Revision: "2026-11-01"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestRotation(t *testing.T) {
	old, fresh := NewKey(), NewKey()
	for _, ch := range []consent.Choice{granted(), {At: made, Revision: "r"}} {
		signedByOld := encode(t, codec(t, old), ch)
		if _, err := codec(t, fresh, old).Decode(signedByOld); err != nil {
			t.Errorf("a value of the old key is refused while that key is still in the file: %v", err)
		}
		if _, err := codec(t, fresh).Decode(signedByOld); !errors.Is(err, ErrInvalid) {
			t.Errorf("a value of a dropped key: got error %v, want ErrInvalid", err)
		}
		signedByFresh := encode(t, codec(t, fresh, old), ch)
		if _, err := codec(t, fresh).Decode(signedByFresh); err != nil {
			t.Errorf("the first key does not sign: %v", err)
		}
	}
}

func TestNothingForgedIsAccepted(t *testing.T) {
	key := NewKey()
	c := codec(t, key)
	grant, refusal := encode(t, c, granted()), encode(t, c, consent.Choice{At: made, Revision: "r"})
	once, err := c.EncodeOnce([]consent.ServiceID{"youtube"})
	if err != nil {
		t.Fatal(err)
	}
	plainJSON := base64.URLEncoding.EncodeToString([]byte(`{"p":15,"t":1795526242,"r":"2026-11-01"}`))

	values := map[string]string{
		"empty":                     "",
		"rubbish":                   "%%%",
		"unsigned JSON":             plainJSON,
		"a refusal without a MAC":   refusal[:strings.LastIndex(refusal, ".")+1],
		"a refusal of another kind": "no.",
		"a load-once token":         once,
		"a giant":                   strings.Repeat("A", 1<<20),
	}
	for i := range grant {
		values[fmt.Sprintf("grant, byte %d changed", i)] = flip(grant, i)
	}
	for i := range refusal {
		values[fmt.Sprintf("refusal, byte %d changed", i)] = flip(refusal, i)
	}
	for name, value := range values {
		if got, err := c.Decode(value); err == nil {
			t.Errorf("%s: decoded to %+v", name, got)
		}
	}
	if _, err := c.DecodeOnce(grant); err == nil {
		t.Error("a choice was taken for a load-once token")
	}
}

// flip changes a character that carries information: the last one of unpadded
// base64 may differ in bits that mean nothing.
func flip(s string, i int) string {
	b := []byte(s)
	b[i] ^= 0x10
	return string(b)
}

func TestEveryServiceOneByOneFits(t *testing.T) {
	var ids []consent.ServiceID
	for i := range 174 {
		ids = append(ids, consent.ServiceID(fmt.Sprintf("some-quite-long-service-name-%03d", i)))
	}
	c := codec(t, NewKey())
	value := encode(t, c, consent.Choice{Services: ids, At: made, Revision: "2026-11-01", Record: granted().Record})
	if n := len("__Host-consent=") + len(value); n > 4096 {
		t.Errorf("cookie of %d bytes; a browser drops more than 4096", n)
	}
	got, err := c.Decode(value)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(ids, got.Services); diff != "" {
		t.Error(diff)
	}
}

func TestTooManyServicesIsAnError(t *testing.T) {
	var ids []consent.ServiceID
	for range 400 {
		ids = append(ids, consent.ServiceID(NewKey().String()))
	}
	_, err := codec(t, NewKey()).Encode(consent.Choice{Services: ids, At: made})
	if err == nil {
		t.Error("a value that no browser keeps was given out")
	}
}

func TestOnceRunsOut(t *testing.T) {
	key := NewKey()
	c := codec(t, key)
	value, err := c.EncodeOnce([]consent.ServiceID{"youtube"})
	if err != nil {
		t.Fatal(err)
	}
	got, err := c.DecodeOnce(value)
	if err != nil || len(got) != 1 || got[0] != "youtube" {
		t.Errorf("DecodeOnce = %v, %v; want [youtube]", got, err)
	}
	// A negative age makes the value that was just made too old.
	c.once = []securecookie.Codec{signer(key, -time.Second)}
	if _, err := c.DecodeOnce(value); !errors.Is(err, ErrInvalid) {
		t.Errorf("an old load-once token: error %v, want ErrInvalid", err)
	}
}

func TestNewWithoutKeys(t *testing.T) {
	if _, err := New(nil); err == nil {
		t.Error("a codec without a key would accept anything")
	}
}

func FuzzDecode(f *testing.F) {
	c, err := New([]Key{{1}})
	if err != nil {
		f.Fatal(err)
	}
	value, err := c.Encode(granted())
	if err != nil {
		f.Fatal(err)
	}
	refusal, err := c.Encode(consent.Choice{At: made, Revision: "r"})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(value)
	f.Add(refusal)
	f.Add("no..")
	f.Fuzz(func(t *testing.T, s string) {
		// Workers sign the seed at different seconds: what counts is that
		// nothing decodes to a grant but what was signed.
		got, err := c.Decode(s)
		if err == nil && got.Grants() && !cmp.Equal(got, granted()) {
			t.Errorf("%q was accepted as %+v", s, got)
		}
	})
}

func TestDerive(t *testing.T) {
	one, other := codec(t, Key{1}), codec(t, Key{2})
	if one.Derive("a") != codec(t, Key{1}).Derive("a") {
		t.Error("the same key and use give different secrets")
	}
	if one.Derive("a") == one.Derive("b") || one.Derive("a") == other.Derive("a") {
		t.Error("another use, or another key, gives the same secret")
	}
}
