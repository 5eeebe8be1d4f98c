//go:build unix

package serve

import (
	"errors"
	"fmt"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// adopt makes listeners of the descriptors from firstDescriptor on.
func adopt(names []string) ([]socket, error) {
	var all []socket
	for i, name := range names {
		fd := firstDescriptor + i
		file := descriptor(fd, name)
		if file == nil {
			return nil, fmt.Errorf("descriptor %d (%s) is not open", fd, name)
		}
		l, err := net.FileListener(file) // which copies the descriptor
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, fmt.Errorf("descriptor %d (%s) is no socket that listens: %w", fd, name, err)
		}
		all = append(all, socket{name, l})
	}
	return all, nil
}

// descriptor is one that the process was started with, and none of whose
// children shall have.
func descriptor(fd int, name string) *os.File {
	unix.CloseOnExec(fd)
	return os.NewFile(uintptr(fd), name)
}

// handOver returns a copy of a socket's descriptor for a child. It is not had
// by net's File, which would set the socket, which is shared, to block.
func handOver(s socket) (*os.File, error) {
	raw, ok := s.listener.(syscall.Conn)
	if !ok {
		return nil, fmt.Errorf("%s cannot be handed over", s.name)
	}
	control, err := raw.SyscallConn()
	if err != nil {
		return nil, err
	}
	var fd int
	var failed error
	err = control.Control(func(original uintptr) {
		fd, failed = unix.FcntlInt(original, unix.F_DUPFD_CLOEXEC, 0)
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, fmt.Errorf("hand over %s: %w", s.name, err)
	}
	return os.NewFile(uintptr(fd), s.name), nil
}
