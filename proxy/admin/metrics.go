package admin

import (
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Metrics count what a gateway does from its start on, reloads included. It is
// a proxy.Meter, and safe for concurrent use. No label has a value of a
// visitor's making: sites, services and origins are those of the configuration,
// and everything else is from short lists.
type Metrics struct {
	registry *prometheus.Registry

	requests   *prometheus.CounterVec
	bytes      *prometheus.CounterVec
	duration   *prometheus.HistogramVec
	answers    *prometheus.CounterVec
	origin     *prometheus.HistogramVec
	edited     *prometheus.CounterVec
	editedSize prometheus.Counter
	editing    prometheus.Histogram
	withheld   *prometheus.CounterVec
	overloaded prometheus.Counter
	bugs       *prometheus.CounterVec

	knownRequests known[request, prometheus.Counter]
	knownAnswers  known[pair, prometheus.Counter]
	knownWithheld known[pair, prometheus.Counter]
	knownSites    known[string, ofSite]

	receipts *prometheus.CounterVec
	refusals prometheus.Counter
	failures *prometheus.CounterVec
	storing  prometheus.Histogram

	reloads  *prometheus.CounterVec
	reloadOK prometheus.Gauge
	reloadAt prometheus.Gauge
}

// NewMetrics makes those that are told by others, and collects from s, at each
// scrape, what can be asked for.
func NewMetrics(s Sources) *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry()}
	m.makeTraffic()
	m.makeLedger()
	m.reloads = m.counters("reloads_total", "Configurations taken anew, by outcome: ok or failed.", "outcome")
	m.reloadOK = m.gauge("reload_ok", "1 unless the last reload failed and the configuration before it goes on.")
	m.reloadAt = m.gauge("reload_timestamp_seconds", "When the configuration in force was read, Unix time.")
	m.reloads.WithLabelValues("ok")
	m.reloads.WithLabelValues("failed")
	m.registry.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		newCollector(s),
	)
	m.Reloaded(true, time.Now())
	return m
}

func (m *Metrics) makeTraffic() {
	m.requests = m.counters("requests_total", "Requests that were answered.", "site", "route", "decision", "status")
	m.bytes = m.counters("response_bytes_total", "Bytes of bodies sent to visitors.", "site")
	m.duration = m.histograms("request_duration_seconds", "From a request to the end of its answer, downloads and WebSockets included.",
		[]float64{.001, .005, .025, .1, .25, .5, 1, 2.5, 10, 60}, "site")
	m.answers = m.counters("origin_answers_total", "Requests to the origin, by the class of the status, or what went wrong.", "site", "outcome")
	m.origin = m.histograms("origin_duration_seconds", "From a request to the header of the origin's answer.",
		[]float64{.005, .025, .1, .25, .5, 1, 2.5, 10, 60}, "site")
	m.edited = m.counters("edited_pages_total", "Pages that were edited, whole or as a stream; remembered ones not again.", "way")
	m.editedSize = m.counter("edited_bytes_total", "Bytes of these pages before.")
	m.editing = m.histograms("edit_duration_seconds", "How long editing and compressing a page took that had arrived whole.",
		[]float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .5}).With(nil).(prometheus.Histogram)
	m.withheld = m.counters("withheld_total", "What answers lack because of the decision; on sites that observe, would have lacked.", "site", "kind")
	m.overloaded = m.counter("overloaded_total", "Pages answered with 503 because too many were being edited.")
	m.bugs = m.counters("bugs_total", "Panics that were survived. The log has their stacks.", "where")
	m.edited.WithLabelValues("whole")
	m.edited.WithLabelValues("stream")
	m.bugs.WithLabelValues("request")
}

func (m *Metrics) opts(name, help string) prometheus.Opts {
	return prometheus.Opts{Namespace: "consentgate", Name: name, Help: help}
}

func (m *Metrics) counters(name, help string, labels ...string) *prometheus.CounterVec {
	v := prometheus.NewCounterVec(prometheus.CounterOpts(m.opts(name, help)), labels)
	m.registry.MustRegister(v)
	return v
}

func (m *Metrics) counter(name, help string) prometheus.Counter {
	return m.counters(name, help).WithLabelValues()
}

func (m *Metrics) gauge(name, help string) prometheus.Gauge {
	g := prometheus.NewGauge(prometheus.GaugeOpts(m.opts(name, help)))
	m.registry.MustRegister(g)
	return g
}

func (m *Metrics) histograms(name, help string, buckets []float64, labels ...string) *prometheus.HistogramVec {
	h := prometheus.NewHistogramVec(prometheus.HistogramOpts{Namespace: "consentgate", Name: name, Help: help, Buckets: buckets}, labels)
	m.registry.MustRegister(h)
	return h
}

func (m *Metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

// Request counts an answer; see proxy.Meter.
func (m *Metrics) Request(site, route, decision string, status int, bytes int64, took time.Duration) {
	labels := request{site, route, decision, class(status)}
	c, ok := m.knownRequests.get(labels)
	if !ok {
		c = m.knownRequests.add(labels, m.requests.WithLabelValues(site, route, decision, labels.status))
	}
	c.Inc()
	of := m.site(site)
	of.bytes.Add(float64(bytes))
	of.duration.Observe(took.Seconds())
}

type request struct{ site, route, decision, status string }

// ofSite are the series that a site has one of.
type ofSite struct {
	bytes            prometheus.Counter
	duration, origin prometheus.Observer
}

func (m *Metrics) site(name string) ofSite {
	of, ok := m.knownSites.get(name)
	if !ok {
		of = m.knownSites.add(name, ofSite{m.bytes.WithLabelValues(name), m.duration.WithLabelValues(name), m.origin.WithLabelValues(name)})
	}
	return of
}

// pair is a site and something else.
type pair struct{ site, other string }

// class is that of a status; "none" where no header was sent.
func class(status int) string {
	switch status / 100 {
	case 1:
		return "1xx"
	case 2:
		return "2xx"
	case 3:
		return "3xx"
	case 4:
		return "4xx"
	case 5:
		return "5xx"
	}
	return "none"
}

// Origin counts an answer of the origin; see proxy.Meter.
func (m *Metrics) Origin(site, outcome string, took time.Duration) {
	c, ok := m.knownAnswers.get(pair{site, outcome})
	if !ok {
		c = m.knownAnswers.add(pair{site, outcome}, m.answers.WithLabelValues(site, outcome))
	}
	c.Inc()
	m.site(site).origin.Observe(took.Seconds())
}

// Edited counts a page; see proxy.Meter.
func (m *Metrics) Edited(bytes int64, took time.Duration) {
	m.editedSize.Add(float64(bytes))
	if took == 0 {
		m.edited.WithLabelValues("stream").Inc()
		return
	}
	m.edited.WithLabelValues("whole").Inc()
	m.editing.Observe(took.Seconds())
}

// Withheld counts what an answer lacks; see proxy.Meter.
func (m *Metrics) Withheld(site, kind string, n int) {
	c, ok := m.knownWithheld.get(pair{site, kind})
	if !ok {
		c = m.knownWithheld.add(pair{site, kind}, m.withheld.WithLabelValues(site, kind))
	}
	c.Add(float64(n))
}

// Overloaded counts a page that was put off; see proxy.Meter.
func (m *Metrics) Overloaded() { m.overloaded.Inc() }

// Panicked counts a bug; see proxy.Meter.
func (m *Metrics) Panicked(where string) { m.bugs.WithLabelValues(where).Inc() }

// Reloaded tells how a reload went.
func (m *Metrics) Reloaded(ok bool, at time.Time) {
	if !ok {
		m.reloads.WithLabelValues("failed").Inc()
		m.reloadOK.Set(0)
		return
	}
	m.reloads.WithLabelValues("ok").Inc()
	m.reloadOK.Set(1)
	m.reloadAt.Set(float64(at.Unix()))
}
