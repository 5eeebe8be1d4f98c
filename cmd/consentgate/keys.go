package main

import (
	"crypto/sha256"
	"flag"
	"fmt"
	"path/filepath"

	"github.com/numfocus/consentgate/consent/token"
)

type keysOptions struct {
	data, config string
	keep         int
}

func (o *keysOptions) register(f *flag.FlagSet) {
	f.StringVar(&o.data, "data", defaultData, "the data `DIR` of the gateway")
	f.StringVar(&o.config, "config", "", "its configuration `FILE`, which says where the keys are")
	f.IntVar(&o.keep, "keep", 2, "how many older keys rotate keeps: a `NUMBER`")
}

func keysCommand(c console, args []string) int {
	var o keysOptions
	rest, code, ok := parse(c, "keys", &o, args)
	switch {
	case !ok:
		return code
	case len(rest) != 1 || rest[0] != "list" && rest[0] != "rotate":
		return misuse(c, "keys", "say list or rotate")
	case o.keep < 0:
		return misuse(c, "keys", "--keep cannot be less than 0")
	}
	path := keyFile(o.data)
	if o.config != "" {
		conf, ok := readConfig(c, o.config)
		if !ok {
			return exitUsage
		}
		path = conf.keyFile()
	}
	var keys []token.Key
	var err error
	if rest[0] == "rotate" {
		keys, err = token.RotateKeys(path, o.keep)
	} else {
		keys, err = token.LoadKeys(path)
	}
	if err != nil {
		return failed(c, "keys", err)
	}
	fmt.Fprintln(c.out, path)
	for i, k := range keys {
		use := "is accepted"
		if i == 0 {
			use = "signs"
		}
		fmt.Fprintln(c.out, " ", fingerprint(k), use)
	}
	return exitFine
}

// fingerprint tells keys apart without giving them away.
func fingerprint(k token.Key) string {
	sum := sha256.Sum256(k[:])
	return fmt.Sprintf("%x", sum[:6])
}

// defaultData is where a gateway without a configuration keeps what it must.
const defaultData = "data"

// keyFile is where the keys are unless a configuration says otherwise.
func keyFile(data string) string { return filepath.Join(data, "keys") }
