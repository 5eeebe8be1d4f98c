package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/numfocus/consentgate/proxy/encode"
)

// A visitor asks for pages on one kept connection, as a browser would, and
// costs little itself.
type visitor struct {
	conn net.Conn
	r    *bufio.Reader
	host string
}

func dial(addr string) (*visitor, error) {
	conn, err := net.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	return &visitor{conn: conn, r: bufio.NewReaderSize(conn, 64<<10), host: addr}, nil
}

func (v *visitor) close() { v.conn.Close() }

// headers are those of a browser that opens a page, or loads an asset.
func headers(path, accept string) []string {
	h := []string{"Accept: text/html,application/xhtml+xml", "Sec-Fetch-Dest: document", "User-Agent: bench", "Accept-Language: en"}
	if path == pathAsset {
		h[0], h[1] = "Accept: */*", "Sec-Fetch-Dest: script"
	}
	if accept != "" {
		h = append(h, "Accept-Encoding: "+accept)
	}
	return h
}

func (v *visitor) ask(path, accept string) error {
	_, err := fmt.Fprintf(v.conn, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n\r\n", path, v.host, strings.Join(headers(path, accept), "\r\n"))
	return err
}

// get asks for something and reads it all; first is when its first byte came.
func (v *visitor) get(path, accept string) (res *http.Response, body []byte, first time.Time, err error) {
	if err = v.ask(path, accept); err != nil {
		return nil, nil, first, err
	}
	if _, err = v.r.Peek(1); err != nil {
		return nil, nil, first, err
	}
	first = time.Now()
	if res, err = http.ReadResponse(v.r, nil); err != nil {
		return nil, nil, first, err
	}
	defer res.Body.Close()
	body, err = io.ReadAll(res.Body)
	return res, body, first, err
}

// decode undoes a content coding, as far as the bytes go.
func decode(coding string, body []byte) ([]byte, error) {
	var pool encode.Pool
	r, err := pool.NewReader(coding, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return io.ReadAll(r)
}
