package serve

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"
	"strings"
)

// Environment variables by which a process hands its sockets to the one that
// takes its place.
const (
	socketsVariable = "CONSENTGATE_SOCKETS" // JSON: a name for each descriptor from 3 on; the next one is readiness
	firstDescriptor = 3                     // as systemd counts (sd_listen_fds(3))
)

// Sockets are listening sockets that a process was started with: by systemd, or
// by the process whose place it takes. A nil *Sockets has none.
type Sockets struct {
	before []socket // from the process before, by the name it gave them
	system []socket // from systemd, by FileDescriptorName
	ready  *os.File // where the process before waits for word; nil: nobody does
}

// A socket is one that listens, and what for.
type socket struct {
	name     string
	listener net.Listener
}

// Inherit takes over the sockets that getenv tells of. It is for once in a
// process: the descriptors are its own from then on.
func Inherit(getenv func(string) string) (*Sockets, error) {
	if text := getenv(socketsVariable); text != "" {
		return fromBefore(text)
	}
	if pid, err := strconv.Atoi(getenv("LISTEN_PID")); err == nil && pid == os.Getpid() {
		return fromSystem(getenv("LISTEN_FDS"), getenv("LISTEN_FDNAMES"))
	}
	return nil, nil
}

func fromBefore(text string) (*Sockets, error) {
	var names []string
	if err := json.Unmarshal([]byte(text), &names); err != nil {
		return nil, fmt.Errorf("read %s: %w", socketsVariable, err)
	}
	sockets, err := adopt(names)
	if err != nil {
		return nil, err
	}
	return &Sockets{before: sockets, ready: descriptor(firstDescriptor+len(names), "ready")}, nil
}

func fromSystem(count, names string) (*Sockets, error) {
	n, err := strconv.Atoi(count)
	if err != nil || n < 0 || n > 1024 {
		return nil, fmt.Errorf("LISTEN_FDS is %q", count)
	}
	list := make([]string, n)
	copy(list, strings.Split(names, ":"))
	sockets, err := adopt(list)
	if err != nil {
		return nil, err
	}
	return &Sockets{system: sockets}, nil
}

// activated says whether an address means sockets of systemd, and by which
// FileDescriptorName; "" means all that no other address names.
func activated(address string) (name string, ok bool) {
	if address == "systemd" {
		return "", true
	}
	name, ok = strings.CutPrefix(address, "systemd:")
	return name, ok && name != ""
}

// open returns the sockets for an address: those of the process before, those
// of systemd, or a new one. use tells apart what listens for different things.
func (s *Sockets) open(use, address string) ([]socket, error) {
	key := use + " " + address
	if s != nil {
		if found := take(&s.before, func(name string) bool { return name == key }); len(found) > 0 {
			return found, nil
		}
	}
	name, ok := activated(address)
	if !ok {
		l, err := net.Listen("tcp", address)
		return []socket{{key, l}}, err
	}
	var found []socket
	if s != nil {
		found = take(&s.system, func(n string) bool { return name == "" || n == name })
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("systemd has handed over no socket for %q", address)
	}
	for i := range found {
		found[i].name = key
	}
	return found, nil
}

// take removes from list what is wanted, and returns it.
func take(list *[]socket, wanted func(name string) bool) []socket {
	var taken, left []socket
	for _, s := range *list {
		if wanted(s.name) {
			taken = append(taken, s)
		} else {
			left = append(left, s)
		}
	}
	*list = left
	return taken
}

// rest ends what came with the process and was not asked for. A socket of
// systemd that nobody serves is a mistake: visitors would wait at it for ever.
func (s *Sockets) rest() error {
	if s == nil {
		return nil
	}
	for _, b := range slices.Concat(s.before, s.system) {
		_ = b.listener.Close() // nobody will miss it
	}
	if len(s.system) > 0 {
		return fmt.Errorf("systemd has handed over %s, which no address asks for: write listen: [systemd]", s.system[0].listener.Addr())
	}
	return nil
}

// tellReady lets the process before go.
func (s *Sockets) tellReady() error {
	if s == nil || s.ready == nil {
		return nil
	}
	_, err := s.ready.WriteString(readyWord)
	return errors.Join(err, s.ready.Close())
}
