package text

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net"
	"net/netip"
	"time"

	"github.com/linnet-im/linnet/wire/line"
)

const (
	// gone is how long a source may be silent before it has left.
	gone = 60 * time.Second
	// maxSources bounds the sources at a time.
	maxSources = 1024
)

// errorLine begins what is never answered.
var errorLine = []byte("error:")

// source is one UDP peer that has signed in.
type source struct {
	speaker Speaker
	heard   time.Time
}

// ServeUDP speaks the text protocol over datagrams, one frame each way in each, until
// ctx ends. open makes the speaker of a source that signs in; write sends it lines,
// one a datagram, and does not block. A datagram's source can be forged: pc is to listen on
// loopback only.
func ServeUDP(ctx context.Context, pc *net.UDPConn, log *slog.Logger, open func(addr netip.AddrPort, write func(lines []byte)) Speaker) error {
	stop := context.AfterFunc(ctx, func() { _ = pc.Close() })
	defer stop()
	sources := make(map[netip.AddrPort]*source)
	defer func() {
		for _, s := range sources {
			s.speaker.Leave()
		}
	}()
	buf := make([]byte, 64<<10)
	swept := time.Now()
	for {
		_ = pc.SetReadDeadline(time.Now().Add(gone / 4)) // a closed socket fails at the read
		n, addr, err := pc.ReadFromUDPAddrPort(buf)
		now := time.Now()
		if now.Sub(swept) >= gone/4 {
			swept = now
			sweep(sources, now)
		}
		var timeout net.Error
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &timeout) && timeout.Timeout():
			continue
		case err == nil && bytes.HasPrefix(buf[:n], errorLine):
			continue // two that answer each other's errors would go on for ever
		case err != nil:
			// A peer that went away makes an error here, which is no fault of the socket's.
			log.Debug("datagram not read", slog.Any("error", err))
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			continue
		}
		if s := sources[addr]; s != nil {
			s.heard = now
		}
		if s := answer(sources, pc, addr, line.Datagram(buf[:n]), open); s != nil {
			s.heard = now
			sources[addr] = s
		}
	}
}

// answer runs the frame of a datagram. It gives a source that has just signed in; who
// has not is answered and forgotten.
func answer(sources map[netip.AddrPort]*source, pc *net.UDPConn, addr netip.AddrPort, f line.Frame,
	open func(netip.AddrPort, func([]byte)) Speaker,
) *source {
	write := func(lines []byte) { send(pc, addr, lines) }
	fail := func(message string) { write(line.Error(nil, message)) }
	s := sources[addr]
	switch {
	case f.Verb == line.Bad:
		fail(f.Err)
	case f.Verb == line.Msg && s == nil:
		fail("say who you are first: iam:NAME")
	case f.Verb == line.Msg:
		s.speaker.Say(f.Text, func(err error) {
			if err != nil {
				fail(err.Error())
			}
		})
	case s != nil:
		if err := s.speaker.SignIn(f.Text); err != nil {
			fail(err.Error())
		}
	case len(sources) >= maxSources:
		fail("too many are here over UDP; try again in a minute, or use TCP")
	default:
		s := &source{speaker: open(addr, write)}
		if err := s.speaker.SignIn(f.Text); err != nil {
			fail(err.Error())
			s.speaker.Leave()
			return nil
		}
		return s
	}
	return nil
}

// send sends each line as a datagram. What the kernel does not take is lost, as
// datagrams are.
func send(pc *net.UDPConn, addr netip.AddrPort, lines []byte) {
	for l := range bytes.Lines(lines) {
		if _, err := pc.WriteToUDPAddrPort(l, addr); err != nil {
			return
		}
	}
}

func sweep(sources map[netip.AddrPort]*source, now time.Time) {
	for addr, s := range sources {
		if now.Sub(s.heard) > gone {
			s.speaker.Leave()
			delete(sources, addr)
		}
	}
}
