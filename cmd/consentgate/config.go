package main

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v4"

	"github.com/numfocus/consentgate/consent"
	"github.com/numfocus/consentgate/proxy"
	"github.com/numfocus/consentgate/proxy/admin"
	"github.com/numfocus/consentgate/proxy/serve"
)

// sampleConfig has every setting with what it means; help shows it and a test
// reads it.
//
//go:embed sample.yaml
var sampleConfig string

// A config is the configuration file: every room's own Config under one roof.
type config struct {
	Serve serve.Config `yaml:",inline"`
	Proxy proxy.Config `yaml:",inline"`
	Admin admin.Config `yaml:",inline"`

	Data    string        `yaml:"data"` // folder for the keys and the record of consent
	Keys    string        `yaml:"keys"` // file; empty: "keys" in the data folder
	Ledger  ledgerConfig  `yaml:"ledger"`
	Logging loggingConfig `yaml:"logging"`
}

func (c config) data() string { return cmp.Or(c.Data, defaultData) }

func (c config) keyFile() string { return cmp.Or(c.Keys, keyFile(c.data())) }

// ledgerFile is where the record of consent is.
func (c config) ledgerFile() string { return filepath.Join(c.data(), "ledger.db") }

// Check returns all mistakes of all rooms at once.
func (c config) Check() error {
	return errors.Join(c.Serve.Check(), c.Proxy.Check(), c.Admin.Check(), consent.Within("ledger", c.Ledger.Check()), consent.Within("logging", c.Logging.Check()))
}

// parseConfig reads a configuration and finds all that is wrong with it.
func parseConfig(name string, text []byte) (config, *document) {
	var c config
	d := loadStrict(name, text, &c)
	if d.root != nil && d.root.Kind == yaml.MappingNode {
		d.addMistakes(c.Check())
	}
	return c, d
}

// readConfig reads a configuration file. When it cannot be used, what is wrong
// has been told and ok is false.
func readConfig(c console, name string) (conf config, ok bool) {
	text, err := os.ReadFile(name)
	if err != nil {
		fmt.Fprintf(c.err, "consentgate: read the configuration: %v\n", err)
		return config{}, false
	}
	conf, d := parseConfig(name, text)
	if len(d.wrong) == 0 {
		return conf, true
	}
	d.print(c.err)
	fmt.Fprintln(c.err, count(len(d.wrong), "mistake"))
	return conf, false
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
