package encode

import "testing"

func TestNegotiate(t *testing.T) {
	for _, test := range []struct {
		lines  []string
		coding string
		ok     bool
	}{
		{nil, Identity, true},
		{[]string{""}, Identity, true},
		{[]string{"gzip, deflate, br, zstd"}, Brotli, true},
		{[]string{"gzip, deflate"}, Gzip, true},
		{[]string{"x-gzip"}, Gzip, true},
		{[]string{"GZIP"}, Gzip, true},
		{[]string{"deflate"}, Identity, true},
		{[]string{"gzip", "br"}, Brotli, true},
		{[]string{"gzip;q=1.0, br;q=0.9"}, Gzip, true},
		{[]string{"gzip;q=0.5, br;q=0.5"}, Brotli, true},
		{[]string{"gzip ; q=0.5 ,\tbr;Q=0.501"}, Brotli, true},
		{[]string{"br;q=0, gzip"}, Gzip, true},
		{[]string{"br;q=0.000, gzip;q=0.001"}, Gzip, true},
		{[]string{"*"}, Brotli, true},
		{[]string{"*;q=0.1, gzip;q=0.2"}, Gzip, true},
		{[]string{"br;q=0, *"}, Gzip, true},
		{[]string{"*;q=0"}, Identity, false},
		{[]string{"*;q=0, identity"}, Identity, true},
		{[]string{"identity"}, Identity, true},
		{[]string{"identity;q=0"}, Identity, false},
		{[]string{"identity;q=0, gzip"}, Gzip, true},
		{[]string{"identity;q=1, gzip;q=0.5"}, Identity, true},
		{[]string{"identity;q=0.5, gzip;q=0.5"}, Gzip, true},
		{[]string{"br;q=2, gzip"}, Gzip, true},
		{[]string{"br;q=-1, gzip"}, Gzip, true},
		{[]string{"br;q=0.1234, gzip;q=0.1"}, Gzip, true},
		{[]string{"br;level=1, gzip"}, Gzip, true},
		{[]string{"br;q=, gzip"}, Gzip, true},
		{[]string{"br;q=0x1, gzip"}, Gzip, true},
		{[]string{", ,gzip,"}, Gzip, true},
		{[]string{"gzip;q=1, gzip;q=0"}, Identity, true},
	} {
		coding, ok := Negotiate(test.lines, Brotli, Gzip)
		if coding != test.coding || ok != test.ok {
			t.Errorf("Negotiate(%q) = %q, %v; want %q, %v", test.lines, coding, ok, test.coding, test.ok)
		}
	}
}

func TestNegotiateWithoutOffers(t *testing.T) {
	if coding, ok := Negotiate([]string{"br, gzip"}); coding != Identity || !ok {
		t.Errorf("got %q, %v", coding, ok)
	}
}

func FuzzNegotiate(f *testing.F) {
	f.Add("gzip;q=0.5, br;q=0.1, *;q=0")
	f.Add("identity;q=0;;,=")
	f.Fuzz(func(t *testing.T, line string) {
		switch coding, ok := Negotiate([]string{line}, Brotli, Gzip); {
		case coding != Identity && !ok:
			t.Errorf("%q: %q is chosen and not acceptable", line, coding)
		case coding != Identity && coding != Brotli && coding != Gzip:
			t.Errorf("%q: %q was not offered", line, coding)
		}
	})
}
