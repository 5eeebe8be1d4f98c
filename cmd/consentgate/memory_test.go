package main

import (
	"testing"
	"testing/fstest"
)

func TestAllowedMemory(t *testing.T) {
	const mib = 1 << 20
	for name, tt := range map[string]struct {
		files map[string]string
		want  int64
	}{
		"no Linux":               {nil, 0},
		"no limit":               {map[string]string{"proc/self/cgroup": "0::/a\n", "sys/fs/cgroup/a/memory.max": "max\n"}, 0},
		"a container":            {map[string]string{"proc/self/cgroup": "0::/\n", "sys/fs/cgroup/memory.max": "268435456\n"}, 256 * mib},
		"a unit in a slice":      {map[string]string{"proc/self/cgroup": "0::/s.slice/u.service\n", "sys/fs/cgroup/s.slice/u.service/memory.max": "max\n", "sys/fs/cgroup/s.slice/memory.max": "536870912\n"}, 512 * mib},
		"the least counts":       {map[string]string{"proc/self/cgroup": "0::/a/b\n", "sys/fs/cgroup/a/b/memory.max": "536870912\n", "sys/fs/cgroup/a/memory.max": "268435456\n"}, 256 * mib},
		"the host's path":        {map[string]string{"proc/self/cgroup": "0::/../../docker/abc\n", "sys/fs/cgroup/memory.max": "268435456\n"}, 256 * mib},
		"version 1":              {map[string]string{"proc/self/cgroup": "5:cpu,cpuacct:/x\n4:memory:/docker/abc\n0::/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "268435456\n"}, 256 * mib},
		"version 1, no limit":    {map[string]string{"proc/self/cgroup": "4:memory:/\n", "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n"}, 0},
		"something else in them": {map[string]string{"proc/self/cgroup": "hello\n0::\n", "sys/fs/cgroup/memory.max": "lots\n"}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			root := fstest.MapFS{}
			for path, text := range tt.files {
				root[path] = &fstest.MapFile{Data: []byte(text)}
			}
			if got := allowedMemory(root); got != tt.want {
				t.Errorf("%d, want %d", got, tt.want)
			}
		})
	}
}

func TestMemoryLimitOfTheEnvironmentIsObeyed(t *testing.T) {
	root := fstest.MapFS{
		"proc/self/cgroup":         {Data: []byte("0::/\n")},
		"sys/fs/cgroup/memory.max": {Data: []byte("1073741824\n")},
	}
	said := func(string) string { return "1GiB" }
	if got := limitMemory(root, said); got != 0 {
		t.Errorf("it is set to %d all the same", got)
	}
}
