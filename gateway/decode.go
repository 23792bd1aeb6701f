package gateway

import "sumun.dev/wire"

// decode turns the verified bytes into the operation's request.
func (g *Gateway) decode(v *visit) error {
	if v.match.Route == nil {
		return nil // perform says that it is not served
	}
	in, err := v.match.Decode(&v.request, wire.Limits{})
	v.in = in
	return err
}
