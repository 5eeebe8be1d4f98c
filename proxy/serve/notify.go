package serve

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"time"
)

// A notifier tells systemd how the service is (sd_notify(3)). The zero value
// tells nobody.
type notifier struct {
	socket   string        // NOTIFY_SOCKET
	watchdog time.Duration // how often systemd wants to hear of us; 0: never
}

func newNotifier(getenv func(string) string) notifier {
	n := notifier{socket: getenv("NOTIFY_SOCKET")}
	if pid := getenv("WATCHDOG_PID"); pid != "" && pid != strconv.Itoa(os.Getpid()) {
		return n
	}
	if usec, err := strconv.ParseInt(getenv("WATCHDOG_USEC"), 10, 64); err == nil && usec > 0 {
		n.watchdog = time.Duration(usec) * time.Microsecond
	}
	return n
}

// send tells one or more lines such as READY=1. Nobody waits for systemd: what
// it does not hear, it does not hear.
func (n notifier) send(state string) {
	if n.socket == "" {
		return
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: n.socket, Net: "unixgram"})
	if err != nil {
		return
	}
	defer c.Close()
	_ = c.SetWriteDeadline(time.Now().Add(time.Second))
	_, _ = c.Write([]byte(state))
}

// ready says that visitors are served.
func (n notifier) ready() { n.send("READY=1") }

// reloading says that READY=1 will follow again.
func (n notifier) reloading() {
	n.send(fmt.Sprintf("RELOADING=1\nMONOTONIC_USEC=%d", monotonic().Microseconds()))
}

// feed keeps the watchdog quiet until ctx is done.
func (n notifier) feed(ctx context.Context) {
	if n.socket == "" || n.watchdog == 0 {
		return
	}
	tick := time.NewTicker(n.watchdog / 3)
	defer tick.Stop()
	for {
		n.send("WATCHDOG=1")
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
