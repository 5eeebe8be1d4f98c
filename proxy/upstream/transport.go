package upstream

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"time"
)

// newTransport differs from http.DefaultTransport: it never decompresses, takes
// no proxy from the environment, and bounds every wait and every header.
func newTransport(c Config) (*http.Transport, error) {
	t := &http.Transport{
		DialContext:            dialer(c),
		DisableCompression:     true,
		MaxIdleConns:           c.IdleConnections * len(c.Origins()),
		MaxIdleConnsPerHost:    c.IdleConnections,
		IdleConnTimeout:        c.IdleTimeout,
		TLSHandshakeTimeout:    c.ConnectTimeout,
		ResponseHeaderTimeout:  c.HeaderTimeout,
		ExpectContinueTimeout:  time.Second,
		MaxResponseHeaderBytes: c.MaxHeaderBytes,
		ReadBufferSize:         readBuffer,
		WriteBufferSize:        writeBuffer,
		TLSClientConfig:        &tls.Config{ServerName: c.TLS.ServerName, MinVersion: tls.VersionTLS12},
		Protocols:              protocols(c.Protocol),
		// A connection with many requests is not noticed to be dead by any of them.
		HTTP2: &http.HTTP2Config{SendPingTimeout: 30 * time.Second, PingTimeout: 15 * time.Second},
	}
	if c.TLS.CA != "" {
		pool, err := readCA(c.TLS.CA)
		if err != nil {
			return nil, err
		}
		t.TLSClientConfig.RootCAs = pool
	}
	return t, nil
}

func protocols(name string) *http.Protocols {
	p := new(http.Protocols)
	p.SetHTTP1(name != protocolHTTP2)
	p.SetHTTP2(name != protocolHTTP1)
	p.SetUnencryptedHTTP2(name == protocolHTTP2)
	return p
}

// A connection to the origin holds both of these for as long as it lives, a
// stalled one too.
const (
	readBuffer  = 32 << 10
	writeBuffer = 8 << 10
)

func readCA(file string) (*x509.CertPool, error) {
	pem, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("read the origin's authorities: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%s holds no certificate", file)
	}
	return pool, nil
}
