//go:build unix

package main

import (
	"os"
	"os/signal"
	"syscall"
)

// upgradeSignal tells of SIGUSR2.
func upgradeSignal() (told <-chan os.Signal, stop func()) {
	c := make(chan os.Signal, 1)
	signal.Notify(c, syscall.SIGUSR2)
	return c, func() { signal.Stop(c) }
}
