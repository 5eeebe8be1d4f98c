// Command consentgate is a reverse proxy that keeps every tracker away from a
// visitor until that visitor says yes.
//
//	consentgate run --upstream http://127.0.0.1:8080 --listen :8000
//	consentgate demo
//	consentgate help
package main

import (
	"io"
	"os"
)

func main() {
	os.Exit(run(os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}

// Exit codes.
const (
	exitFine   = 0
	exitFailed = 1 // it was asked for correctly, and did not work
	exitUsage  = 2 // it was asked for wrongly: flags, or a configuration with mistakes
)

// A console is what a command talks to.
type console struct {
	in       io.Reader
	out, err io.Writer
	getenv   func(string) string
}

// run is the whole program; main only connects it to the process.
func run(args []string, stdin io.Reader, stdout, stderr io.Writer, getenv func(string) string) int {
	c := console{stdin, stdout, stderr, getenv}
	if len(args) == 0 {
		usage(c.err)
		return exitUsage
	}
	switch args[0] {
	case "help", "-h", "-help", "--help":
		return help(c, args[1:])
	case "-version", "--version":
		return version(c, nil)
	}
	cmd, ok := find(args[0])
	if !ok {
		return unknownCommand(c, args[0])
	}
	return cmd.run(c, args[1:])
}
