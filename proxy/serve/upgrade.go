package serve

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"time"
)

const (
	readyWord    = "ready\n"        // what a new process says
	startTimeout = 90 * time.Second // for it to say so
)

// ErrUpgrading is what Upgrade says while another one is under way.
var ErrUpgrading = errors.New("an upgrade is under way already")

// Upgrade starts a new process, which takes over all sockets of TCP, and returns
// its id once it serves visitors: the context of Run is to be ended then, so that
// what is under way here can end as well. When it returns an error nothing has
// changed, and the new process is gone; what that had to say is on its standard
// error. The socket of HTTP/3 is not handed over: the new process opens its own
// as soon as this one has closed it, and visitors use TCP in the meantime.
func (s *Server) Upgrade(ctx context.Context, program string, args ...string) (pid int, err error) {
	if !s.upgrading.TryLock() {
		return 0, ErrUpgrading
	}
	defer s.upgrading.Unlock()
	if s.isReplaced() {
		return 0, ErrUpgrading
	}
	s.notify.reloading()
	cmd, err := s.startNew(ctx, program, args)
	if err != nil {
		s.notify.ready()
		return 0, fmt.Errorf("upgrade: %w", err)
	}
	s.notify.send(fmt.Sprintf("MAINPID=%d\nREADY=1", cmd.Process.Pid))
	s.mu.Lock()
	defer s.mu.Unlock()
	s.replaced = true
	return cmd.Process.Pid, nil
}

// startNew returns a process that serves.
func (s *Server) startNew(ctx context.Context, program string, args []string) (*exec.Cmd, error) {
	names, files, err := s.handOverAll()
	defer closeFiles(files)
	if err != nil {
		return nil, err
	}
	hear, tell, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	defer hear.Close()
	cmd := exec.Command(program, args...)
	cmd.Env = append(ownEnvironment(os.Environ()), socketsVariable+"="+names)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.ExtraFiles = append(files, tell)
	err = cmd.Start()
	_ = tell.Close() // else its end would not be seen
	if err != nil {
		return nil, err
	}
	gone := make(chan error, 1)
	go func() { gone <- cmd.Wait() }()
	if err := waitReady(ctx, hear, gone); err != nil {
		_ = cmd.Process.Kill() // it may be gone already
		return nil, err
	}
	return cmd, nil
}

// waitReady waits for the word, or for the end, of a process.
func waitReady(ctx context.Context, hear *os.File, gone <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, startTimeout)
	defer cancel()
	word := make(chan bool, 1)
	go func() {
		b := make([]byte, len(readyWord))
		_, err := io.ReadFull(hear, b) // ends when hear is closed
		word <- err == nil && string(b) == readyWord
	}()
	select {
	case ready := <-word:
		if ready {
			return nil
		}
	case <-ctx.Done():
		return fmt.Errorf("the new process was not ready in time: %w", ctx.Err())
	}
	select { // it has closed its end: it is going
	case err := <-gone:
		return fmt.Errorf("the new process ended before it was ready (%v); it has said why", err)
	case <-ctx.Done():
		return fmt.Errorf("the new process did not become ready: %w", ctx.Err())
	}
}

// handOverAll gives copies of all sockets, and their names as JSON.
func (s *Server) handOverAll() (names string, files []*os.File, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) == 0 {
		return "", nil, errors.New("nothing is served yet")
	}
	list := make([]string, len(s.open))
	for i, socket := range s.open {
		f, err := handOver(socket)
		if err != nil {
			return "", files, err
		}
		list[i], files = socket.name, append(files, f)
	}
	text, err := json.Marshal(list)
	return string(text), files, err
}

func closeFiles(files []*os.File) {
	for _, f := range files {
		_ = f.Close()
	}
}

// ownEnvironment leaves out what is said to this process alone.
func ownEnvironment(environ []string) []string {
	var kept []string
	for _, variable := range environ {
		name, _, _ := strings.Cut(variable, "=")
		switch name {
		case socketsVariable, "LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "WATCHDOG_PID":
		default:
			kept = append(kept, variable)
		}
	}
	return kept
}
