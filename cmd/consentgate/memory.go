package main

import (
	"cmp"
	"io/fs"
	"math"
	"path"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
)

// limitMemory has the garbage collector work harder before the memory that a
// container, or a unit of systemd, allows is used up, rather than have the kernel
// end the program. GOMEMLIMIT, where it is set, is obeyed instead. It returns the
// limit in bytes, or 0 where there is none. root is the file system's.
func limitMemory(root fs.FS, getenv func(string) string) int64 {
	if getenv("GOMEMLIMIT") != "" {
		return 0
	}
	allowed := allowedMemory(root)
	if allowed == 0 {
		return 0
	}
	limit := allowed - allowed/10 // for what the Go runtime does not know of: SQLite's maps, the kernel's buffers
	debug.SetMemoryLimit(limit)
	return limit
}

// allowedMemory is the least that a control group of this process allows, in
// bytes; 0: as much as there is (Linux, cgroups(7), versions 1 and 2).
func allowedMemory(root fs.FS) int64 {
	text, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return 0
	}
	least := int64(math.MaxInt64)
	for line := range strings.Lines(string(text)) {
		parts := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(parts) != 3 {
			continue
		}
		switch mount := "sys/fs/cgroup"; {
		case parts[0] == "0" && parts[1] == "":
			least = min(least, leastAbove(root, mount, parts[2], "memory.max"))
		case slices.Contains(strings.Split(parts[1], ","), "memory"):
			least = min(least, leastAbove(root, mount+"/memory", parts[2], "memory.limit_in_bytes"))
		}
	}
	if least >= unlimited {
		return 0
	}
	return least
}

// unlimited is below what version 1 says where nothing is limited: the largest
// number of whole pages.
const unlimited = 1 << 60

// leastAbove looks at a group and all above it. In a container the path is often
// that of the host, of which nothing is there; the container's own group is then
// the top.
func leastAbove(root fs.FS, mount, group, file string) int64 {
	least := int64(math.MaxInt64)
	for at := path.Clean("/" + group); ; at = path.Dir(at) {
		if text, err := fs.ReadFile(root, path.Join(mount, at, file)); err == nil {
			n, err := strconv.ParseInt(strings.TrimSpace(string(text)), 10, 64)
			if err == nil { // or it says "max"
				least = min(least, cmp.Or(n, math.MaxInt64))
			}
		}
		if at == "/" {
			return least
		}
	}
}
