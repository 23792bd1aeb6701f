package resolver

import "sync/atomic"

// Stats counts since the start.
type Stats struct {
	Answered  uint64 // with what the name has, or that it has nothing
	Blocked   uint64 // by a rule
	Alerted   uint64 // answered, and a rule alerts
	CacheHits uint64
	Misses    uint64 // questions for upstream, those that joined another's included
	Failed    uint64 // SERVFAIL, or refused as not ours to answer
	Refused   uint64 // unknown askers, and what nobody is answered
	Malformed uint64
	Busy      uint64 // failed because as much was under way as may be
	Logged    uint64 // records taken by the query log
	LogWaits  uint64 // queries that waited because the log's queue was full
	LogErrors uint64 // times that the log refused a batch; it gets it again
	LogLost   uint64 // records that the log had not taken when Close gave up
}

// A tally counts for a few desks, so that cores do not share its memory.
type tally struct {
	answered, blocked, alerted, hits, misses, failed, refused, malformed, busy atomic.Uint64

	_ [128]byte
}

type stats struct {
	tallies [8]tally
	next    atomic.Uint32

	logged, logWaits, logErrors, logLost atomic.Uint64
}

func (s *stats) tally() *tally { return &s.tallies[s.next.Add(1)%uint32(len(s.tallies))] }

// Stats returns the counts.
func (s *Server) Stats() Stats {
	sum := Stats{
		Logged: s.stats.logged.Load(), LogWaits: s.stats.logWaits.Load(),
		LogErrors: s.stats.logErrors.Load(), LogLost: s.stats.logLost.Load(),
	}
	for i := range s.stats.tallies {
		t := &s.stats.tallies[i]
		sum.Answered += t.answered.Load()
		sum.Blocked += t.blocked.Load()
		sum.Alerted += t.alerted.Load()
		sum.CacheHits += t.hits.Load()
		sum.Misses += t.misses.Load()
		sum.Failed += t.failed.Load()
		sum.Refused += t.refused.Load()
		sum.Malformed += t.malformed.Load()
		sum.Busy += t.busy.Load()
	}
	return sum
}
