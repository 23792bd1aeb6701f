package nats

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// serverOptions are those of the server inside this process.
func serverOptions(dir string) *server.Options {
	return &server.Options{
		ServerName:      "sumun",
		DontListen:      true, // no port: only this process can speak to it
		NoSigs:          true, // signals are the binary's business
		NoSystemAccount: true,
		MaxPayload:      4 << 20,

		JetStream:          true,
		StoreDir:           dir,
		JetStreamMaxMemory: 16 << 20,
		JetStreamMaxStore:  1 << 46, // each stream has a bound of its own

		// By default JetStream acknowledges up to two minutes before it syncs
		// (nats-server issue 7564). An acknowledged audit record must survive the
		// loss of power.
		SyncAlways: true,
	}
}

func (s *Spine) connect(ctx context.Context) error {
	opts := []nats.Option{
		nats.Name("sumun"),
		nats.MaxReconnects(-1),
		nats.ReconnectWait(250 * time.Millisecond),
		nats.ErrorHandler(func(_ *nats.Conn, _ *nats.Subscription, err error) {
			s.Log.Warn("spine: NATS reports an error", "error", err)
		}),
	}
	url := s.URL
	if url == "" {
		if err := s.startServer(); err != nil {
			return err
		}
		opts = append(opts, nats.InProcessServer(s.server))
	} else {
		opts = append(opts, s.external()...)
	}
	var err error
	if s.conn, err = nats.Connect(url, opts...); err != nil {
		return fmt.Errorf("spine: connect to NATS: %w", err)
	}
	s.js, err = jetstream.New(s.conn, jetstream.WithDefaultTimeout(5*time.Second))
	return err
}

func (s *Spine) external() []nats.Option {
	opts := []nats.Option{
		nats.Timeout(5 * time.Second),
		nats.DisconnectErrHandler(func(_ *nats.Conn, err error) {
			if err != nil {
				s.Log.Warn("spine: connection to NATS lost, reconnecting", "error", err)
			}
		}),
		nats.ReconnectHandler(func(c *nats.Conn) {
			s.Log.Info("spine: connected to NATS again", "server", c.ConnectedServerName())
		}),
	}
	if s.Credentials != "" {
		opts = append(opts, nats.UserCredentials(s.Credentials))
	}
	return opts
}

func (s *Spine) startServer() error {
	if err := os.MkdirAll(s.Dir, 0o700); err != nil {
		return fmt.Errorf("spine: %w", err)
	}
	if err := os.Chmod(s.Dir, 0o700); err != nil {
		return fmt.Errorf("spine: %w", err)
	}
	srv, err := server.NewServer(serverOptions(s.Dir))
	if err != nil {
		return fmt.Errorf("spine: embedded NATS: %w", err)
	}
	srv.SetLoggerV2(serverLog{s.Log}, false, false, false)
	s.server = srv
	srv.Start()
	if !srv.ReadyForConnections(10 * time.Second) {
		return fmt.Errorf("spine: embedded NATS did not start in %s", s.Dir)
	}
	if !srv.JetStreamEnabled() {
		return fmt.Errorf("spine: embedded NATS could not open its store in %s", s.Dir)
	}
	return nil
}

// serverLog passes on what an operator should know.
type serverLog struct{ log *slog.Logger }

func (l serverLog) Noticef(string, ...any) {}
func (l serverLog) Debugf(string, ...any)  {}
func (l serverLog) Tracef(string, ...any)  {}
func (l serverLog) Warnf(format string, args ...any) {
	l.log.Warn("spine: " + fmt.Sprintf(format, args...))
}
func (l serverLog) Errorf(format string, args ...any) {
	l.log.Error("spine: " + fmt.Sprintf(format, args...))
}
func (l serverLog) Fatalf(format string, args ...any) {
	l.log.Error("spine: " + fmt.Sprintf(format, args...))
}
