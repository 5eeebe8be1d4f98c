package serve

import (
	"fmt"
	"os"
	"testing"
)

// TestMain lets the test binary be other processes, which tests start and kill.
func TestMain(m *testing.M) {
	for variable, be := range map[string]func(string) error{holderVariable: hold, gatewayVariable: beGateway} {
		if text := os.Getenv(variable); text != "" {
			fmt.Fprintln(os.Stderr, be(text))
			os.Exit(1)
		}
	}
	code := m.Run()
	_ = os.RemoveAll(toolFolder())
	os.Exit(code)
}

// toolFolder is where this process builds programs for its tests.
func toolFolder() string { return fmt.Sprintf("%s/consentgate-tools-%d", os.TempDir(), os.Getpid()) }
