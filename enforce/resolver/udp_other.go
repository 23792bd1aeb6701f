//go:build !linux || !(amd64 || arm64)

package resolver

import (
	"context"
	"net"
)

func (s *Server) serveUDP(ctx context.Context, conn *net.UDPConn) error {
	return s.serveUDPSingly(ctx, conn)
}
