package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A contact is one request of the browser's, or a connection or a look-up of a
// name that no request followed.
type contact struct {
	at        time.Time
	url       string // without query and fragment; of a connection scheme and host alone
	initiator string // the origin whose document or worker asked
	hint      bool   // a connection or look-up
	page      bool   // asked for as a page of its own, in the window itself
}

// readNetLog reads the browser's own log of all it does on the network, whoever
// asked for it: documents in any process, workers, beacons, WebSockets, reports.
// What the browser does for itself is left out: no page asked for that.
func readNetLog(path string) ([]contact, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	lines := bufio.NewScanner(bytes.NewReader(text))
	lines.Buffer(nil, len(text)+1)
	if !lines.Scan() {
		return nil, errors.New("the browser's network log is empty")
	}
	var head struct{ Constants netConstants }
	if err := json.Unmarshal([]byte(strings.TrimSuffix(lines.Text(), ",")+"}"), &head); err != nil {
		return nil, fmt.Errorf("read the browser's network log: %w", err)
	}
	log := netLog{constants: head.Constants, own: map[string]bool{}}
	for lines.Scan() {
		var e netEvent
		// One event a line; the last one may be cut off.
		if json.Unmarshal(bytes.TrimSuffix(lines.Bytes(), []byte(",")), &e) == nil {
			log.add(e)
		}
	}
	return slices.DeleteFunc(log.contacts, func(c contact) bool { return c.hint && log.own[hostOf(c.url)] }), lines.Err()
}

type netConstants struct {
	LogEventTypes  map[string]int
	TimeTickOffset json.Number
}

type netEvent struct {
	Type   int
	Time   string
	Phase  int
	Params struct {
		URL       string
		Initiator string
		Request   string `json:"request_type"`
		Host      string
		Key       string `json:"network_anonymization_key"`
	}
}

type netLog struct {
	constants netConstants
	contacts  []contact
	own       map[string]bool // hosts the browser calls for itself: it connects to them in the name of the site
}

// nobody is the initiator of what the browser does for itself.
const nobody = "not an origin"

func (l *netLog) add(e netEvent) {
	c := contact{at: l.time(e.Time), initiator: e.Params.Initiator}
	switch e.Type {
	case l.constants.LogEventTypes["URL_REQUEST_START_JOB"]:
		if e.Params.Initiator == nobody {
			l.own[hostOf(e.Params.URL)] = true
			return
		}
		c.url, c.page = e.Params.URL, e.Params.Request == "main frame"
	case l.constants.LogEventTypes["HOST_RESOLVER_MANAGER_REQUEST"]:
		// Its key is the site of the window for which it is.
		site, _, ok := strings.Cut(e.Params.Key, " ")
		if e.Params.Host == "" || !ok {
			return
		}
		c.url, c.initiator, c.hint = e.Params.Host, site, true
		if !strings.Contains(c.url, "://") {
			c.url = "https://" + c.url
		}
	default:
		return
	}
	u, err := url.Parse(c.url)
	if err != nil || u.Host == "" {
		return
	}
	switch u.Scheme {
	case "http", "https", "ws", "wss":
		u.RawQuery, u.ForceQuery, u.Fragment, u.User = "", false, "", nil
		c.url = u.String()
		l.contacts = append(l.contacts, c)
	}
}

// time turns the browser's clock into ours: both are in milliseconds.
func (l *netLog) time(tick string) time.Time {
	ms, _ := strconv.ParseInt(tick, 10, 64)
	offset, _ := l.constants.TimeTickOffset.Int64()
	return time.UnixMilli(ms + offset)
}
