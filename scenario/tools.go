package scenario

// tools run the real programs instead of ours: see outside_test.go.
type tools interface {
	aws(s *step, args []string) error
	dig(s *step, args []string, q *question) error
}

func (s *step) externalAWS(args []string) error { return s.stage.external().aws(s, args) }

func (s *step) externalDig(args []string, q *question) error {
	return s.stage.external().dig(s, args, q)
}

func (s *inside) external() tools { return nil }
