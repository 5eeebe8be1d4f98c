package serve

import (
	"time"

	"golang.org/x/sys/unix"
)

// monotonic is the clock that systemd compares with, since the system started.
func monotonic() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_MONOTONIC, &t); err != nil {
		return 0
	}
	return time.Duration(t.Nano())
}
