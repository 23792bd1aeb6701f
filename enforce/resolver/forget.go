package resolver

// Forget drops what the answers so far have left behind: what is cached, which
// queries are logged already, what waits to be logged, and who was seen to tunnel. A plane that begins
// anew calls it; swap puts the new log's place under the resolver, at a moment
// when nothing is being logged, so that no record of the old reaches the new.
func (s *Server) Forget(swap func()) {
	if s.log == nil {
		swap()
	} else {
		s.log.forget(swap)
	}
	s.cache.Clear()
	s.advanced.forget()
}

func (l *logQueue) forget(swap func()) {
	l.handing <- struct{}{}
	defer func() { <-l.handing }()
	swap()
	l.reign.Add(1)
	l.seen.forget()
}

func (s *seen) forget() {
	for i := range s.locks {
		s.locks[i].Lock()
		defer s.locks[i].Unlock()
	}
	clear(s.slots)
}
