//go:build !linux || !(amd64 || arm64)

package resolver

import (
	"context"
	"net"
)

func (s *serving) serveUDP(ctx context.Context, conn *net.UDPConn) error {
	return s.serveUDPSingly(ctx, conn)
}
