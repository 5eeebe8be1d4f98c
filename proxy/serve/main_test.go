package serve

import (
	"fmt"
	"os"
	"testing"
)

// TestMain lets the test binary be other processes, which tests start and kill.
func TestMain(m *testing.M) {
	if text := os.Getenv(holderVariable); text != "" {
		fmt.Fprintln(os.Stderr, hold(text))
		os.Exit(1)
	}
	os.Exit(m.Run())
}
