//go:build !unix

package main

import "os"

// upgradeSignal never tells anything: sockets can be handed over on Unix only.
func upgradeSignal() (told <-chan os.Signal, stop func()) { return nil, func() {} }
