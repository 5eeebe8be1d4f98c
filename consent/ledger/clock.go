package ledger

import (
	"fmt"
	"time"
)

// DefaultSkew is how far ahead of the clock a receipt may be dated.
const DefaultSkew = 5 * time.Minute

// Admit says whether r may be stored when the clock shows now. A skew of zero
// stands for [DefaultSkew].
func Admit(r Receipt, now time.Time, skew time.Duration) error {
	if err := r.Check(); err != nil {
		return err
	}
	if skew == 0 {
		skew = DefaultSkew
	}
	if r.Time.After(now.Add(skew)) {
		return fmt.Errorf("%w: %s, and it is %s", ErrFuture, r.Time.UTC().Format(time.RFC3339), now.UTC().Format(time.RFC3339))
	}
	return nil
}
