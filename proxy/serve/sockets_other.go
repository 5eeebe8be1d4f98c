//go:build !unix

package serve

import (
	"errors"
	"os"
)

var errNoHandOver = errors.New("sockets can be handed over on Unix only")

func adopt([]string) ([]socket, error) { return nil, errNoHandOver }

func descriptor(fd int, name string) *os.File { return os.NewFile(uintptr(fd), name) }

func handOver(socket) (*os.File, error) { return nil, errNoHandOver }
