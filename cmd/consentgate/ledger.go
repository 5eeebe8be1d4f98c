package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/numfocus/consentgate/consent/ledger"
)

const ledgerHelp = `What may be done with the record of consent, also while the gateway runs:

  verify          check every record against the chain of hashes; name the first
                  that is not what was written
  stats           how many visitors allowed what, by day, month or year
  show RECORD     the receipts of a record id, as JSON
  export [FILE]   everything, as JSON lines; with --csv the receipts, as a table
  import FILE     what export wrote, into this ledger; - reads standard input
  erase RECORD    what the receipts of a record id say; the chain stays whole
  purge           erase receipts that have been kept for as long as configured
  backup FILE     a consistent copy of the ledger's file

A visitor finds the record id in the settings. verify prints the head of each
chain: note it elsewhere, and give it to a later verify as --anchor, to be sure
that nobody has rewritten the whole. With PostgreSQL say --config; backup is
then pg_dump's business.`

// A ledgerOrder is one word after consentgate ledger.
type ledgerOrder struct {
	args  string // what it takes, for people: empty, FILE, [FILE] or RECORD
	looks bool   // changes nothing
	makes bool   // a ledger where there is none
	run   func(ctx context.Context, c console, s ledger.Store, o *ledgerOptions, arg string) error
}

func ledgerOrders() map[string]ledgerOrder {
	return map[string]ledgerOrder{
		"verify": {looks: true, run: verifyLedger},
		"stats":  {looks: true, run: ledgerStats},
		"show":   {args: "RECORD", looks: true, run: showRecord},
		"export": {args: "[FILE]", looks: true, run: exportLedger},
		"import": {args: "FILE", makes: true, run: importLedger},
		"erase":  {args: "RECORD", run: eraseRecord},
		"purge":  {run: purgeLedger},
		"backup": {args: "FILE", looks: true, run: backupLedger},
	}
}

type ledgerOptions struct {
	data, config string
	by           string
	csv          bool
	anchors      anchors
	keeping      ledger.Config // not a flag: from the configuration
}

func (o *ledgerOptions) register(f *flag.FlagSet) {
	f.StringVar(&o.data, "data", defaultData, "the data `DIR` of the gateway")
	f.StringVar(&o.config, "config", "", "its configuration `FILE`, which says where the ledger is")
	f.StringVar(&o.by, "by", "month", "stats: add up by day, month or year: a `PERIOD`")
	f.BoolVar(&o.csv, "csv", false, "stats, export: write comma-separated values")
	f.Var(&o.anchors, "anchor", "verify: a `HEAD` that an earlier verify printed; may be repeated")
}

func ledgerCommand(c console, args []string) int {
	var o ledgerOptions
	rest, code, ok := parse(c, "ledger", &o, args)
	if !ok {
		return code
	}
	words := strings.Join(slices.Sorted(maps.Keys(ledgerOrders())), ", ")
	if len(rest) == 0 {
		return misuse(c, "ledger", "say what to do: %s", words)
	}
	order, ok := ledgerOrders()[rest[0]]
	if !ok {
		return misuse(c, "ledger", "%q is none of %s", rest[0], words)
	}
	arg, ok := order.argument(rest[1:])
	if !ok {
		return misuse(c, "ledger", "it should be: ledger %s", strings.TrimSpace(rest[0]+" "+order.args))
	}
	if _, err := ledger.ParseBy(o.by); err != nil {
		return misuse(c, "ledger", "--by: %v", err)
	}
	return order.carryOut(c, &o, rest[0], arg)
}

func (order ledgerOrder) argument(args []string) (string, bool) {
	switch {
	case len(args) == 0:
		return "", order.args == "" || order.args[0] == '['
	case len(args) == 1:
		return args[0], order.args != ""
	}
	return "", false
}

func (order ledgerOrder) carryOut(c console, o *ledgerOptions, name, arg string) int {
	conf := config{Data: o.data}
	if o.config != "" {
		var ok bool
		if conf, ok = readConfig(c, o.config); !ok {
			return exitUsage
		}
	}
	o.keeping = conf.Ledger.Keeping
	ctx, stop := untilTold()
	defer stop()
	store, err := openLedger(conf.ledgerFile(), conf.Ledger, order)
	if err == nil {
		err = errors.Join(order.run(ctx, c, store, o, arg), store.Close())
	}
	if err != nil {
		return failed(c, "ledger "+name, err)
	}
	return exitFine
}

// anchors are the heads that verify is given. One is written
// gateway:number:hash, as verify prints it.
type anchors map[string]ledger.Point

func (a *anchors) String() string { return "" }

func (a *anchors) Set(s string) error {
	gateway, rest, _ := strings.Cut(s, ":")
	number, hash, _ := strings.Cut(rest, ":")
	seq, err := strconv.ParseUint(number, 10, 64)
	if err != nil {
		return errors.New("it should be gateway:number:hash, as verify prints it")
	}
	digest, err := ledger.ParseDigest(hash)
	if err != nil {
		return err
	}
	if *a == nil {
		*a = anchors{}
	}
	(*a)[gateway] = ledger.Point{Seq: seq, Hash: digest}
	return nil
}

func head(c ledger.Chain) string {
	return fmt.Sprintf("%s:%d:%s", c.Gateway, c.Head.Seq, c.Head.Hash)
}
