package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// A process is a server that was started here, with all it started itself.
type process struct {
	name string
	addr string // host:port
	cmd  *exec.Cmd
	log  *bytes.Buffer
}

// patience is how long a server may take to start: a gateway with a thousand
// sites takes a minute.
const patience = 3 * time.Minute

// start runs a command and waits until it accepts connections at addr, or ends.
func start(name, addr string, command ...string) (*process, error) {
	p := &process{name: name, addr: addr, cmd: exec.Command(command[0], command[1:]...), log: new(bytes.Buffer)}
	p.cmd.Stdout, p.cmd.Stderr = p.log, p.log
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	for begun := time.Now(); time.Since(begun) < patience && !p.ended(); {
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return p, nil
		}
		time.Sleep(25 * time.Millisecond)
	}
	p.stop()
	return nil, fmt.Errorf("start %s: it does not listen at %s: %s", name, addr, p.log)
}

// ended reports whether a process that was started is only a name by now.
func (p *process) ended() bool {
	fields := stat(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	return len(fields) == 0 || fields[0] == "Z"
}

func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	killer := time.AfterFunc(3*time.Second, func() { _ = p.cmd.Process.Kill() })
	defer killer.Stop()
	_ = p.cmd.Wait()
}

// tree is the process ids of a process and of everything it started.
func (p *process) tree() []int {
	all, _ := filepath.Glob("/proc/[0-9]*/stat")
	parent := map[int]int{}
	for _, name := range all {
		if fields := stat(name); fields != nil {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(name)))
			parent[pid], _ = strconv.Atoi(fields[1])
		}
	}
	var pids []int
	for pid := range parent {
		for at := pid; at > 1; at = parent[at] {
			if at == p.cmd.Process.Pid {
				pids = append(pids, pid)
				break
			}
		}
	}
	return pids
}

// stat gives the fields of a stat file from the state on (proc(5)).
func stat(name string) []string {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil // it has ended
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:]))
}

// tick is the unit of CPU times in /proc, everywhere Linux runs.
const tick = 10 * time.Millisecond

// cpu is the time the tree has used so far, in the kernel too.
func (p *process) cpu() time.Duration {
	var sum time.Duration
	for _, pid := range p.tree() {
		if fields := stat(fmt.Sprintf("/proc/%d/stat", pid)); fields != nil {
			user, _ := strconv.Atoi(fields[11])
			system, _ := strconv.Atoi(fields[12])
			sum += time.Duration(user+system) * tick
		}
	}
	return sum
}

// memory is what the tree holds, in bytes: resident, and its proportional share
// of that, in which a page that two processes map counts half for each.
func (p *process) memory() (rss, pss int64) {
	for _, pid := range p.tree() {
		f, err := os.Open(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
		if err != nil {
			continue
		}
		r, s := rollup(f)
		f.Close()
		rss, pss = rss+r, pss+s
	}
	return rss, pss
}

func rollup(r io.Reader) (rss, pss int64) {
	lines := bufio.NewScanner(r)
	for lines.Scan() {
		fields := strings.Fields(lines.Text())
		if len(fields) < 2 {
			continue
		}
		n, _ := strconv.ParseInt(fields[1], 10, 64)
		switch fields[0] {
		case "Rss:":
			rss = n << 10
		case "Pss:":
			pss = n << 10
		}
	}
	return rss, pss
}

// freeAddr is an address nobody listens at now.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

var errMissing = errors.New("not there")

// find looks for a program, also where Debian keeps servers.
func find(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	if path := filepath.Join("/usr/sbin", name); exec.Command(path, "-v").Run() == nil {
		return path, nil
	}
	return "", fmt.Errorf("%s: %w", name, errMissing)
}
