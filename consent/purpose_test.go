package consent

import "testing"

func TestParsePurpose(t *testing.T) {
	for _, p := range AllPurposes() {
		if got, err := ParsePurpose(string(p)); err != nil || got != p {
			t.Errorf("ParsePurpose(%q) = %q, %v", p, got, err)
		}
	}
	for _, s := range []string{"", "Statistics", "analytics", "necessary "} {
		if got, err := ParsePurpose(s); err == nil {
			t.Errorf("ParsePurpose(%q) = %q, want an error", s, got)
		}
	}
}

func TestPurposes(t *testing.T) {
	set := PurposesOf(Marketing, Necessary)
	if got, want := set.String(), "necessary, marketing"; got != want {
		t.Errorf("String = %q, want %q", got, want)
	}
	if set.Has("") || set.Has("bogus") {
		t.Error("a set has what is no purpose")
	}
	if got := PurposesOf(AllPurposes()...); got != Everything {
		t.Errorf("all purposes are %v, want Everything", got)
	}
	if got := Purposes(0).String(); got != "" {
		t.Errorf("the empty set is %q", got)
	}
}
