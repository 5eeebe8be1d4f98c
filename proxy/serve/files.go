package serve

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"
)

// lookEvery is how often certificate files are looked at.
const lookEvery = 30 * time.Second

// ownFiles are the admin's certificates. A pair that changes is read again; one
// that cannot be used changes nothing.
type ownFiles struct {
	config []CertificateFile
	loaded atomic.Pointer[[]*tls.Certificate]
	seen   []string // what the files looked like, for watch alone
	every  time.Duration
}

func (s *Server) ownFiles() (*ownFiles, error) {
	f := &ownFiles{config: s.config.TLS.Files, every: lookEvery}
	f.seen = f.look()
	return f, f.load()
}

// load reads all files, or changes nothing.
func (f *ownFiles) load() error {
	all := make([]*tls.Certificate, len(f.config))
	for i, file := range f.config {
		var err error
		if all[i], err = file.load(); err != nil {
			return fmt.Errorf("read certificate %s: %w", file.Certificate, err)
		}
	}
	f.loaded.Store(&all)
	return nil
}

// find returns the first certificate that suits a visitor; the first of all for
// one who names no host; else nil.
func (f *ownFiles) find(hello *tls.ClientHelloInfo) *tls.Certificate {
	all := *f.loaded.Load()
	for _, c := range all {
		if hello.ServerName != "" && hello.SupportsCertificate(c) == nil {
			return c
		}
	}
	if hello.ServerName == "" && len(all) > 0 {
		return all[0]
	}
	return nil
}

// covers says whether a certificate is for a host.
func (f *ownFiles) covers(host string) bool {
	for _, c := range *f.loaded.Load() {
		if c.Leaf.VerifyHostname(host) == nil {
			return true
		}
	}
	return false
}

func (f *ownFiles) leaves() []*x509.Certificate {
	var all []*x509.Certificate
	for _, c := range *f.loaded.Load() {
		all = append(all, c.Leaf)
	}
	return all
}

// watch reads files that change until ctx is done. Both files of a pair seldom
// change in one moment, so what cannot be read is tried again.
func (f *ownFiles) watch(ctx context.Context, tell func(Event)) {
	tick := time.NewTicker(f.every)
	defer tick.Stop()
	told := ""
	for len(f.config) > 0 {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		now := f.look()
		if slices.Equal(now, f.seen) {
			continue
		}
		if err := f.load(); err != nil {
			if told != err.Error() {
				tell(Event{Level: Error, Text: "certificates: files have changed and cannot be used; the old ones are shown on", Fields: map[string]any{"error": err.Error()}})
			}
			told = err.Error()
			continue
		}
		f.seen, told = now, ""
		tell(Event{Level: Info, Text: "certificates: files have changed and were read again"})
	}
}

// look tells a change of the files.
func (f *ownFiles) look() []string {
	var all []string
	for _, c := range f.config {
		for _, name := range []string{c.Certificate, c.Key} {
			if info, err := os.Stat(name); err == nil {
				all = append(all, fmt.Sprint(info.ModTime().UnixNano(), info.Size()))
			} else {
				all = append(all, err.Error())
			}
		}
	}
	return all
}
