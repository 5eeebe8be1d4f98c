package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"
)

// A command is one word after consentgate.
type command struct {
	name  string
	args  string // as in the usage line
	short string // one line
	long  string // what an admin wants to know, flags aside
	flags func(*flag.FlagSet)
	run   func(c console, args []string) int
}

// commands lists them in the order in which somebody meets them.
func commands() []command {
	return []command{
		{
			name: "demo", args: "[--listen ADDR]",
			short: "see an example site with and without the gateway",
			long: `Starts an example site that embeds seventeen third-party services, a gateway
in front of it, and stand-ins for all the third parties on this computer, so
that nothing is needed and nothing leaves it. It prints three addresses: the
site without the gateway, the site with it, and a page that shows who was
called. Ctrl-C ends it.`,
			flags: func(f *flag.FlagSet) { new(demoOptions).register(f) },
			run:   demoCommand,
		},
		{
			name: "run", args: "--upstream URL --listen ADDR [--data DIR] [--admin ADDR]\n       consentgate run --config FILE",
			short: "stand in front of a site",
			long: `Without a file, one site is served: every Host is passed to the upstream, and
what shares the registrable domain of the Host is the first party. The key that
signs visitors' choices and the record of consent are kept in the data folder,
which is made at the first start; keep it, and keep it private.

SIGTERM and Ctrl-C let what is under way finish, and then end the program. SIGHUP
is consentgate reload. SIGUSR2 starts the program anew, hands it the listening
sockets, and ends this process once the new one serves: an upgrade without a
refused visitor.`,
			flags: func(f *flag.FlagSet) { new(runOptions).register(f) },
			run:   runCommand,
		},
		{
			name: "reload", args: "[--admin ADDR | --config FILE]",
			short: "have a running gateway take its configuration anew",
			long: `The gateway reads its file and its keys as at a start, and serves by them from
then on; what is under way ends as it began, WebSockets included. Where there is
a mistake nothing changes, and all mistakes are told; the exit code is then 1.
What takes a restart (listen, tls and the timeouts beside them, ops, data, ledger)
is told as well and stays as it was.

It asks the gateway at its operators' listener. SIGHUP does the same, and leaves
what came of it in the log alone.`,
			flags: func(f *flag.FlagSet) { new(reloadOptions).register(f) },
			run:   reloadCommand,
		},
		{
			name: "check", args: "FILE\n       consentgate check --live URL [--gateway URL] [FILE [--site NAME]]",
			short: "list every mistake in a configuration, or what was added to a live page",
			long: `Reads a configuration as run would, and lists all mistakes with file, line,
column and the cure. It changes nothing and opens no port. Exit code 2 means
there are mistakes.

With --live it asks for a page at its public address, as a new visitor's browser
would, and tells what somebody has added to it behind the gateway: Cloudflare
can put its beacon, Zaraz or Rocket Loader into pages that the gateway has
cleaned. Exit code 1 means that there is something a visitor has not agreed to.`,
			flags: func(f *flag.FlagSet) { new(checkOptions).register(f) },
			run:   checkCommand,
		},
		{
			name: "explain", args: "URL|COOKIE|FILE.html [--granted WORDS] [--config FILE [--site NAME]] [--page URL]",
			short: "say whose something is, and what would happen to it",
			long: `For a URL or the name of a cookie: which service it belongs to, whether it
would be withheld, and by which rule. For a file with HTML: the same for
everything in it that a browser would load or run, line by line.`,
			flags: func(f *flag.FlagSet) { new(explainOptions).register(f) },
			run:   explainCommand,
		},
		{
			name: "scan", args: "URL [--pages N] [--rate R] [--config FILE [--site NAME]] [--json FILE] [--html FILE]",
			short: "list what third parties a site uses, without standing in front of it",
			long: `Reads pages of a site as a visitor who has not chosen anything, and judges what
is in them with the gateway's own rules: services by purpose, third parties that
nobody knows, cookies, and lines for the configuration that say what the unknown
ones are. It obeys robots.txt as "consentgate-scan", stays on one host, sends no
forms, and follows no link that would log out, buy or administer something.

What scripts load later is not seen: for that there is consentgate inventory.`,
			flags: func(f *flag.FlagSet) { new(scanOptions).register(f) },
			run:   scanCommand,
		},
		{
			name: "audit", args: "URL [--browser PATH] [--pages N] [--visitors WORDS] [--config FILE [--site NAME]] [--json FILE] [--html FILE] [--shots]",
			short: "prove in a real browser what leaves a site, and what does not",
			long: `Opens pages of a site in Chromium as visitors of every kind: a new one, with DNT,
with GPC, one who refuses, allows one purpose, accepts, and withdraws; each with
and without JavaScript, and each with a browser that has never been anywhere.
Whatever leaves the site, and whatever is kept in the browser, is held against
what that visitor has allowed. Exit code 1 means that something escaped.

It works on any site. Where there is no notice of Consentgate, only visitors who
choose nothing can be tried. The browser is Chromium or Chrome: --browser, the
variable CONSENTGATE_BROWSER, or the first that is found. All of it takes some
minutes; --visitors new,accepted tries fewer.`,
			flags: func(f *flag.FlagSet) { new(auditOptions).register(f) },
			run:   auditCommand,
		},
		{
			name: "inventory", args: "[--admin ADDR | --data DIR | --config FILE] [--site NAME] [--json]",
			short: "list the third parties and cookies a gateway has seen",
			long: `What documents, headers and cookies have shown, and what browsers report: by
service, how often it was withheld and how often it passed, and on which pages.
In mode observe, withheld counts what would have been. What nobody knows stands
last, with lines for the configuration that say what it is.`,
			flags: func(f *flag.FlagSet) { new(inventoryOptions).register(f) },
			run:   inventoryCommand,
		},
		{
			name: "ledger", args: "verify|stats|show|export|import|erase|purge|backup [--data DIR | --config FILE]",
			short: "check, read and keep the record of consent",
			long:  ledgerHelp,
			flags: func(f *flag.FlagSet) { new(ledgerOptions).register(f) },
			run:   ledgerCommand,
		},
		{
			name: "keys", args: "list|rotate [--data DIR | --config FILE]",
			short: "show or renew the keys that sign visitors' choices",
			long: `rotate puts a new key in front. The older ones are still accepted, so nobody is
asked again, until more than --keep of them have gathered. A running gateway
takes the new key at consentgate reload.`,
			flags: func(f *flag.FlagSet) { new(keysOptions).register(f) },
			run:   keysCommand,
		},
		{
			name: "health", args: "[--ready] [--admin ADDR]",
			short: "ask a running gateway whether it is well",
			long: `For a container's health check or a script: exit code 0 if the gateway's ops
listener says that all is well, 1 if not or if nobody answers within five seconds.
With --ready it fails as well while anything is wrong, such as that grants cannot
be stored, although the site is served then; restarting would not help.`,
			flags: func(f *flag.FlagSet) { new(healthOptions).register(f) },
			run:   healthCommand,
		},
		{
			name:  "version",
			short: "say which version this is",
			run:   version,
		},
	}
}

func find(name string) (command, bool) {
	for _, cmd := range commands() {
		if cmd.name == name {
			return cmd, true
		}
	}
	return command{}, false
}

func unknownCommand(c console, name string) int {
	var names []string
	for _, cmd := range commands() {
		names = append(names, cmd.name)
	}
	fmt.Fprintf(c.err, "consentgate: there is no command %q", name)
	if near := nearest(name, names); near != "" {
		fmt.Fprintf(c.err, "; did you mean %q?", near)
	}
	fmt.Fprintln(c.err, "\nconsentgate help lists them all.")
	return exitUsage
}

// usage is what consentgate says when it is asked nothing.
func usage(w io.Writer) {
	fmt.Fprint(w, `Consentgate stands in front of a web site and keeps every tracker away from a
visitor until that visitor says yes.

Usage: consentgate COMMAND [flags]

`)
	for _, cmd := range commands() {
		fmt.Fprintf(w, "  %-11s%s\n", cmd.name, cmd.short)
	}
	fmt.Fprint(w, `
consentgate help COMMAND tells more of each, and consentgate help config shows
a configuration file with everything that can be set.
Exit codes: 0 fine, 1 failed, 2 wrong use.
`)
}

func help(c console, args []string) int {
	if len(args) == 0 {
		usage(c.out)
		return exitFine
	}
	if args[0] == "config" {
		fmt.Fprint(c.out, sampleConfig)
		return exitFine
	}
	cmd, ok := find(args[0])
	if !ok {
		return unknownCommand(c, args[0])
	}
	cmd.help(c.out)
	return exitFine
}

func (cmd command) help(w io.Writer) {
	fmt.Fprintf(w, "Usage: consentgate %s\n\n", strings.TrimSpace(cmd.name+" "+cmd.args))
	if cmd.long == "" {
		fmt.Fprintf(w, "It will %s.\n", cmd.short)
		return
	}
	fmt.Fprintln(w, cmd.long)
	if cmd.flags == nil {
		return
	}
	fmt.Fprintln(w)
	set := flag.NewFlagSet(cmd.name, flag.ContinueOnError)
	cmd.flags(set)
	set.VisitAll(func(f *flag.Flag) {
		value, says := flag.UnquoteUsage(f)
		if f.DefValue != "" && f.DefValue != "false" {
			says += " (default " + f.DefValue + ")"
		}
		fmt.Fprintf(w, "  %-18s %s\n", strings.TrimSpace("--"+f.Name+" "+value), says)
	})
}

// An options type is a command's flags.
type options interface{ register(*flag.FlagSet) }

// parse reads flags and returns the other arguments, before, between and after
// the flags. When ok is false the command is over, with this exit code.
func parse(c console, name string, o options, args []string) (rest []string, code int, ok bool) {
	set := flag.NewFlagSet(name, flag.ContinueOnError)
	set.SetOutput(new(bytes.Buffer)) // it would print every flag after each mistake
	set.Usage = func() {}
	if o != nil {
		o.register(set)
	}
	cmd, _ := find(name)
	for {
		err := set.Parse(args)
		switch {
		case errors.Is(err, flag.ErrHelp):
			cmd.help(c.out)
			return nil, exitFine, false
		case err != nil:
			return nil, cmd.misused(c, err.Error()), false
		case set.NArg() == 0:
			return rest, exitFine, true
		}
		rest = append(rest, set.Arg(0))
		args = set.Args()[1:]
	}
}

// misused tells what was wrong with a command line, and how it should be.
func (cmd command) misused(c console, problem string) int {
	fmt.Fprintf(c.err, "consentgate %s: %s\nUsage: consentgate %s\nconsentgate help %[1]s tells more.\n",
		cmd.name, problem, strings.TrimSpace(cmd.name+" "+cmd.args))
	return exitUsage
}

// misuse is misused for a command by its name.
func misuse(c console, name, format string, args ...any) int {
	cmd, _ := find(name)
	return cmd.misused(c, fmt.Sprintf(format, args...))
}

// failed tells that a command could not do what it was asked for.
func failed(c console, name string, err error) int {
	fmt.Fprintf(c.err, "consentgate %s: %v\n", name, err)
	return exitFailed
}
