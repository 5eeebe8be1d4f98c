package main

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

func version(c console, args []string) int {
	if rest, code, ok := parse(c, "version", nil, args); !ok {
		return code
	} else if len(rest) > 0 {
		return misuse(c, "version", "it takes no arguments")
	}
	fmt.Fprintln(c.out, "consentgate", buildVersion(), runtime.Version(), runtime.GOOS+"/"+runtime.GOARCH)
	return exitFine
}

// buildVersion is the module's version where it was built from one, else the
// commit.
func buildVersion() string {
	info, ok := debug.ReadBuildInfo()
	if !ok || info.Main.Version == "" || info.Main.Version == "(devel)" {
		return "development"
	}
	return info.Main.Version
}
