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

// source is one UDP peer.
type source struct {
	speaker Speaker
	heard   time.Time
}

// ServeUDP speaks the text protocol over datagrams, one frame each way in each, until
// ctx ends. open makes the speaker of a new source; write sends it lines, one a
// datagram, and does not block. A datagram's source can be forged: pc is to listen on
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
		case err != nil:
			// A peer that went away makes an error here, which is no fault of the socket's.
			log.Debug("datagram not read", slog.Any("error", err))
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			continue
		}
		write := func(lines []byte) { send(pc, addr, lines) }
		s := sources[addr]
		if s == nil {
			if len(sources) >= maxSources {
				write(line.Error(nil, "too many are here over UDP; try again in a minute, or use TCP"))
				continue
			}
			s = &source{speaker: open(addr, write)}
			sources[addr] = s
		}
		s.heard = now
		run(s.speaker, line.Datagram(buf[:n]), write)
	}
}

// run runs the frame of a datagram.
func run(speaker Speaker, f line.Frame, write func([]byte)) {
	switch f.Verb {
	case line.Iam:
		if err := speaker.SignIn(f.Text); err != nil {
			write(line.Error(nil, err.Error()))
		}
	case line.Msg:
		speaker.Say(f.Text, func(err error) {
			if err != nil {
				write(line.Error(nil, err.Error()))
			}
		})
	default:
		write(line.Error(nil, f.Err))
	}
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
