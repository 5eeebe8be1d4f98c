package serve

import (
	"bufio"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/net/dns/dnsmessage"
)

// A pebble is a certificate authority: Let's Encrypt's own for tests. It finds
// every host on 127.0.0.1.
type pebble struct {
	directory string
	caFile    string // who has signed the directory's certificate
	roots     *x509.CertPool

	mu       sync.Mutex
	orders   int
	refusals int
}

// startPebble starts one that looks for challenges at these ports, and whose
// certificates hold for so long.
func startPebble(t *testing.T, httpPort, tlsPort int, validity time.Duration) *pebble {
	t.Helper()
	dir := t.TempDir()
	listen, manage := freeAddress(t), freeAddress(t)
	certificate, key := selfSigned(t, dir, "localhost")
	config := map[string]any{"pebble": map[string]any{
		"listenAddress": listen, "managementListenAddress": manage, "certificate": certificate, "privateKey": key,
		"httpPort": httpPort, "tlsPort": tlsPort, "keyAlgorithm": "ecdsa",
		"externalAccountBindingRequired": true,
		"externalAccountMACKeys":         map[string]string{"kid-1": bindingKey},
		"retryAfter":                     map[string]int{"authz": 1, "order": 1},
		"profiles":                       map[string]any{"default": map[string]any{"description": "tests", "validityPeriod": int(validity.Seconds())}},
	}}
	text, err := json.Marshal(config)
	must(t, err)
	file := filepath.Join(dir, "pebble.json")
	must(t, os.WriteFile(file, text, 0o600))
	p := &pebble{directory: "https://" + listen + "/dir", caFile: certificate}
	cmd := exec.Command(tool(t, "github.com/letsencrypt/pebble/v2/cmd/pebble"), "-config", file, "-dnsserver", nameServer(t))
	cmd.Env = append(os.Environ(), "PEBBLE_VA_NOSLEEP=1", "PEBBLE_AUTHZREUSE=0")
	p.run(t, cmd)
	p.trust(t, manage)
	return p
}

// bindingKey is what the authority wants an account to know.
const bindingKey = "zWNDZM6eQGHWpSRTPal5eIUYFTu7EajVIoguysqZ9wG44nMEtx3MUAsUDkMTQ12W"

// run counts orders in what the authority says.
func (p *pebble) run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	out, err := cmd.StdoutPipe()
	must(t, err)
	cmd.Stderr = cmd.Stdout
	must(t, cmd.Start())
	listening, ended := make(chan struct{}), make(chan struct{})
	var said strings.Builder
	go func() {
		defer close(ended)
		var once sync.Once
		for scan := bufio.NewScanner(out); scan.Scan(); {
			p.mu.Lock()
			fmt.Fprintln(&said, scan.Text())
			if strings.Contains(scan.Text(), "Added order ") {
				p.orders++
			}
			if strings.Contains(scan.Text(), "set INVALID by completed challenge") {
				p.refusals++
			}
			p.mu.Unlock()
			if strings.Contains(scan.Text(), "ACME directory available at") {
				once.Do(func() { close(listening) })
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("the authority said:\n%s", said.String())
		}
	})
	wait(t, "the authority", listening)
}

// trust learns the root of what the authority will sign.
func (p *pebble) trust(t *testing.T, manage string) {
	t.Helper()
	own, err := ACMEConfig{CAFile: p.caFile}.roots()
	must(t, err)
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: own}}}
	p.roots = x509.NewCertPool()
	for try := 0; ; try++ {
		res, err := client.Get("https://" + manage + "/roots/0")
		if err == nil {
			text, err := io.ReadAll(res.Body)
			_ = res.Body.Close()
			must(t, err)
			if !p.roots.AppendCertsFromPEM(text) {
				t.Fatalf("the authority's root is %q", text)
			}
			return
		}
		if try == 50 {
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (p *pebble) ordered() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.orders
}

func (p *pebble) refused() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.refusals
}

// config is for a gateway that gets its certificates there.
func (p *pebble) config() TLSConfig {
	return TLSConfig{
		Listen: []string{"127.0.0.1:0"},
		ACME: ACMEConfig{
			Email: "webmaster@site.example", Directory: p.directory, CAFile: p.caFile,
			EAB: EAB{ID: "kid-1", Key: bindingKey},
		},
	}
}

// tool builds one of the programs that .ci/tools pins.
func tool(t testing.TB, path string) string {
	t.Helper()
	program := filepath.Join(toolFolder(), filepath.Base(path))
	if _, err := os.Stat(program); err == nil {
		return program
	}
	if out, err := exec.Command("go", "-C", "../../.ci/tools", "build", "-o", program, path).CombinedOutput(); err != nil {
		word := fmt.Sprintf("%s cannot be built: %v: %s", path, err, out)
		if os.Getenv("CI") == "true" {
			t.Fatal(word)
		}
		t.Skip(word)
	}
	return program
}

// selfSigned makes a certificate and its key, as files.
func selfSigned(t testing.TB, dir string, hosts ...string) (certificate, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(t, err)
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	must(t, err)
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: hosts[0]}, DNSNames: hosts, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true, IsCA: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	must(t, err)
	secret, err := x509.MarshalPKCS8PrivateKey(private)
	must(t, err)
	certificate, key = filepath.Join(dir, hosts[0]+".pem"), filepath.Join(dir, hosts[0]+".key")
	must(t, os.WriteFile(certificate, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	return certificate, key
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	defer l.Close()
	return l.Addr().String()
}

// nameServer says of every host that it is here. It is asked by TCP, where a
// length stands before each message.
func nameServer(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	t.Cleanup(func() { _ = l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go answerNames(c)
		}
	}()
	return l.Addr().String()
}

func answerNames(c net.Conn) {
	defer c.Close()
	for {
		var size [2]byte
		if _, err := io.ReadFull(c, size[:]); err != nil {
			return
		}
		question := make([]byte, binary.BigEndian.Uint16(size[:]))
		if _, err := io.ReadFull(c, question); err != nil {
			return
		}
		answer, err := here(question)
		if err != nil {
			return
		}
		_, _ = c.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(answer))), answer...))
	}
}

// here answers a question: A is 127.0.0.1, of everything else there is none.
func here(question []byte) ([]byte, error) {
	var m dnsmessage.Message
	if err := m.Unpack(question); err != nil || len(m.Questions) != 1 {
		return nil, fmt.Errorf("no question: %w", err)
	}
	m.Response, m.Authoritative, m.RecursionAvailable = true, true, true
	m.Additionals = nil
	if q := m.Questions[0]; q.Type == dnsmessage.TypeA {
		m.Answers = []dnsmessage.Resource{{
			Header: dnsmessage.ResourceHeader{Name: q.Name, Type: q.Type, Class: q.Class, TTL: 60},
			Body:   &dnsmessage.AResource{A: [4]byte{127, 0, 0, 1}},
		}}
	}
	return m.Pack()
}
