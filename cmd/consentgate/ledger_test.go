package main

import (
	"bytes"
	"os"
	"regexp"

	"github.com/rogpeppe/go-internal/testscript"
)

// recordID sets $record to the first record id in a file.
func recordID(ts *testscript.TestScript, neg bool, args []string) {
	m := regexp.MustCompile(`"record_id":"([^"]+)"`).FindStringSubmatch(ts.ReadFile(args[0]))
	if m == nil {
		ts.Fatalf("no record id in %s", args[0])
	}
	ts.Setenv("record", m[1])
}

// tamper replaces bytes in a file: tamper FILE OLD NEW.
func tamper(ts *testscript.TestScript, neg bool, args []string) {
	path := ts.MkAbs(args[0])
	data, err := os.ReadFile(path)
	ts.Check(err)
	changed := bytes.Replace(data, []byte(args[1]), []byte(args[2]), 1)
	if len(args[1]) != len(args[2]) || bytes.Equal(data, changed) {
		ts.Fatalf("%s: there is no %q to replace with as many bytes", args[0], args[1])
	}
	ts.Check(os.WriteFile(path, changed, 0o600))
}
