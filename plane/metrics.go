package plane

import (
	"github.com/prometheus/client_golang/prometheus"

	"sumun.dev/enforce/resolver"
)

// resolverMetrics shows what the resolver counts.
func resolverMetrics(r prometheus.Registerer, s *resolver.Server) {
	for _, m := range []struct {
		name, help string
		value      func(resolver.Stats) uint64
	}{
		{"answered_total", "Queries answered with what the name has.", func(s resolver.Stats) uint64 { return s.Answered }},
		{"blocked_total", "Queries that a DNS Firewall rule blocked.", func(s resolver.Stats) uint64 { return s.Blocked }},
		{"alerted_total", "Queries answered although a rule alerts of them.", func(s resolver.Stats) uint64 { return s.Alerted }},
		{"cache_hits_total", "Queries answered from the cache.", func(s resolver.Stats) uint64 { return s.CacheHits }},
		{"upstream_total", "Queries that had to be asked upstream.", func(s resolver.Stats) uint64 { return s.Misses }},
		{"failed_total", "Queries answered with SERVFAIL.", func(s resolver.Stats) uint64 { return s.Failed }},
		{"refused_total", "Queries of strangers, and those that nobody is answered.", func(s resolver.Stats) uint64 { return s.Refused }},
		{"malformed_total", "Packets that are no queries.", func(s resolver.Stats) uint64 { return s.Malformed }},
		{"busy_total", "Queries failed because as much was under way as may be.", func(s resolver.Stats) uint64 { return s.Busy }},
		{"logged_total", "Queries written to the query log.", func(s resolver.Stats) uint64 { return s.Logged }},
		{"log_waits_total", "Queries that waited for room in the query log.", func(s resolver.Stats) uint64 { return s.LogWaits }},
		{"log_errors_total", "Times that the query log could not be written at once.", func(s resolver.Stats) uint64 { return s.LogErrors }},
	} {
		r.MustRegister(prometheus.NewCounterFunc(prometheus.CounterOpts{Namespace: "sumun", Subsystem: "resolver", Name: m.name, Help: m.help},
			func() float64 { return float64(m.value(s.Stats())) }))
	}
}

// followedMetric counts what this node's followers have read: of a share that another
// node reads, it stands still.
func followedMetric(r prometheus.Registerer) *prometheus.CounterVec {
	m := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "sumun_followed_events_total", Help: "Events that this node has judged, by follower and share."}, []string{"share"})
	r.MustRegister(m)
	return m
}
