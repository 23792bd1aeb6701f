package resolver

// Forget drops what the answers so far have left behind: what is cached, and
// which queries are logged already. A plane that begins anew calls it.
func (s *Server) Forget() {
	s.cache.Clear()
	if s.log != nil {
		s.log.seen.forget()
	}
}

func (s *seen) forget() {
	for i := range s.locks {
		s.locks[i].Lock()
		defer s.locks[i].Unlock()
	}
	clear(s.slots)
}
