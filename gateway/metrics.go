package gateway

import (
	"errors"
	"sync"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"sumun.dev/aws"
	"sumun.dev/wire"
)

// metrics counts what passes the gate. A nil metrics counts nothing.
type metrics struct {
	calls    *prometheus.CounterVec
	unproven *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	known    sync.Map // outcome to prometheus.Counter: finding one by labels costs more than counting
	paces    sync.Map // *wire.Service to prometheus.Observer
}

type outcome struct {
	about *wire.Meta
	code  string
}

func newMetrics(r prometheus.Registerer, q *queue, c *calls) *metrics {
	if r == nil {
		return nil
	}
	m := &metrics{
		calls: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sumun_calls_total", Help: "Calls by operation and error code; the code of a success is empty."}, []string{"operation", "code"}),
		unproven: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "sumun_unproven_calls_total", Help: "Calls refused before a signature was proven, by error code."}, []string{"code"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "sumun_call_seconds", Help: "Time from a request's header to its answer.",
			Buckets: []float64{.0001, .00025, .0005, .001, .0025, .005, .01, .05, .25, 1, 5}}, []string{"service"}),
	}
	waiting := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sumun_trail_waiting", Help: "Trail records of reads and refusals on their way to the spine."}, func() float64 { return float64(len(q.events)) })
	underWay := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "sumun_calls_under_way", Help: "Calls that have not been answered yet."}, func() float64 { return float64(c.count()) })
	r.MustRegister(m.calls, m.unproven, m.seconds, waiting, underWay)
	return m
}

func (m *metrics) count(about *wire.Meta, err error) {
	if m == nil || about == nil {
		return
	}
	code := ""
	var e *aws.Error
	if errors.As(err, &e) {
		code = e.Code
	} else if err != nil {
		code = aws.InternalFailure.Code
	}
	c, ok := m.known.Load(outcome{about, code})
	if !ok {
		c, _ = m.known.LoadOrStore(outcome{about, code}, m.calls.WithLabelValues(about.String(), code))
	}
	c.(prometheus.Counter).Inc()
}

func (m *metrics) unprovenCall(code string) {
	if m != nil {
		m.unproven.WithLabelValues(code).Inc()
	}
}

func (m *metrics) took(about *wire.Meta, d time.Duration) {
	if m == nil || about == nil {
		return
	}
	o, ok := m.paces.Load(about.Service)
	if !ok {
		o, _ = m.paces.LoadOrStore(about.Service, m.seconds.WithLabelValues(about.Service.Prefix))
	}
	o.(prometheus.Observer).Observe(d.Seconds())
}

// sampler lets one message a second through and counts the others, so that
// strangers cannot fill the log.
type sampler struct {
	mu      sync.Mutex
	next    time.Time
	skipped int
}

func newSampler() *sampler { return &sampler{} }

// sample reports whether to log now, and how many were not logged before.
func (s *sampler) sample() (skipped int, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	if now.Before(s.next) {
		s.skipped++
		return 0, false
	}
	skipped, s.skipped, s.next = s.skipped, 0, now.Add(time.Second)
	return skipped, true
}
