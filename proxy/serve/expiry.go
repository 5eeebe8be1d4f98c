package serve

import (
	"cmp"
	"crypto/x509"
	"time"
)

// A Certificate is one that visitors are shown.
type Certificate struct {
	Name     string // the first name in it, or the host that it was asked for
	NotAfter time.Time
}

// Certificates lists those that there are at the moment: the admin's own, and
// for each configured host the one that ACME gave and that ends last.
func (s *Server) Certificates() []Certificate {
	s.mu.Lock()
	c := s.certs
	s.mu.Unlock()
	if c == nil {
		return nil
	}
	var all []Certificate
	for _, leaf := range c.files.leaves() {
		all = append(all, Certificate{firstName(leaf), leaf.NotAfter})
	}
	if c.cache == nil {
		return all
	}
	for _, host := range c.hosts() {
		newest := Certificate{Name: host}
		for _, got := range c.cache.AllMatchingCertificates(host) {
			if got.Leaf != nil && got.Leaf.NotAfter.After(newest.NotAfter) {
				newest.NotAfter = got.Leaf.NotAfter
			}
		}
		if !newest.NotAfter.IsZero() {
			all = append(all, newest)
		}
	}
	return all
}

func firstName(leaf *x509.Certificate) string {
	if len(leaf.DNSNames) > 0 {
		return leaf.DNSNames[0]
	}
	return cmp.Or(leaf.Subject.CommonName, leaf.SerialNumber.String())
}
