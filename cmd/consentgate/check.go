package main

import "fmt"

func checkCommand(c console, args []string) int {
	rest, code, ok := parse(c, "check", nil, args)
	switch {
	case !ok:
		return code
	case len(rest) != 1:
		return misuse(c, "check", "name one file")
	}
	conf, ok := readConfig(c, rest[0])
	if !ok {
		return exitUsage
	}
	fmt.Fprintf(c.out, "%s: fine, %s\n", rest[0], count(len(conf.Proxy.Sites), "site"))
	return exitFine
}
