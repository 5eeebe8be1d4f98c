package consent_test

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"testing"

	"github.com/numfocus/consentgate/consent"
)

func TestMistakes(t *testing.T) {
	a, b, c := consent.Mistake{Field: "hosts", Problem: "p", Cure: "c"}, consent.Mistake{Field: "[2]"}, consent.Mistake{}
	err := errors.Join(a, nil, errors.Join(fmt.Errorf("read: %w", b), c), io.EOF)
	want := []consent.Mistake{a, b, c, {Problem: "EOF"}}
	if got := consent.Mistakes(err); !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := consent.Mistakes(nil); got != nil {
		t.Errorf("of nil: %v", got)
	}

	got := consent.Mistakes(consent.Within("sites[0]", err))
	want[0].Field, want[1].Field, want[2].Field, want[3].Field = "sites[0].hosts", "sites[0][2]", "sites[0]", "sites[0]"
	if !slices.Equal(got, want) {
		t.Errorf("within: got %v, want %v", got, want)
	}
	if err := consent.Within("sites", nil); err != nil {
		t.Errorf("within, of nil: %v", err)
	}
}
