package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"time"
)

func newReader(raw []byte) *bufio.Reader { return bufio.NewReader(bytes.NewReader(raw)) }

// slowReaders each read a page of slowPage bytes, a little at a time.
const (
	slowReaders = 200
	slowPage    = 200 << 20
)

var slowCodings = []string{"br", "gzip"}

// measureSlow looks at the gateway's memory while many read huge pages slowly.
func measureSlow(l *lab, p plan, r *results) error {
	if p.slow == 0 {
		return nil
	}
	piece := stallPage(64 << 10)
	origin := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		for range slowPage / len(piece) {
			if _, err := io.WriteString(w, piece); err != nil {
				return
			}
		}
	}))
	defer origin.Close()
	r.slow = map[string]float64{}
	for _, accept := range slowCodings {
		server, err := l.begin(gatewayPeer(gatewayName, ""), strings.TrimPrefix(origin.URL, "http://"))
		if err != nil {
			return err
		}
		most, err := readSlowly(server, accept, p.slow)
		server.stop()
		if err != nil {
			return err
		}
		r.slow[accept] = mb(most)
	}
	return nil
}

func readSlowly(server *process, accept string, span time.Duration) (most int64, err error) {
	end := time.Now().Add(span)
	var readers sync.WaitGroup
	defer readers.Wait()
	for range slowReaders {
		v, err := dial(server.addr)
		if err != nil {
			return 0, err
		}
		readers.Go(func() {
			defer v.close()
			if v.ask("/", accept) != nil {
				return
			}
			for time.Now().Before(end) {
				if _, err := v.r.Discard(4 << 10); err != nil {
					return
				}
				time.Sleep(50 * time.Millisecond)
			}
		})
	}
	for time.Now().Before(end) {
		rss, _ := server.memory()
		most = max(most, rss)
		time.Sleep(100 * time.Millisecond)
	}
	return most, nil
}
