package text

import (
	"bytes"
	"context"
	"errors"
	"fmt"
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

// UDPConfig configures ServeUDP.
type UDPConfig struct {
	// Open makes the speaker of a source that signs in. write sends it lines, one a
	// datagram, and does not block.
	Open func(addr netip.AddrPort, write func(lines []byte)) Speaker
	// Admit says who is answered at all.
	Admit func(netip.Addr) bool
	// Trusted says whose address nobody forges. Other sources send a code back before
	// they get more than maxAnswer times the bytes that they sent, or a stranger could
	// have the lobby sent to whom he likes.
	Trusted func(netip.Addr) bool
	Log     *slog.Logger
}

// udp is the text protocol on a UDP socket.
type udp struct {
	UDPConfig
	pc      *net.UDPConn
	codes   *codes
	sources map[netip.AddrPort]*source
}

// ServeUDP speaks the text protocol over datagrams, one frame each way in each, until
// ctx ends.
func ServeUDP(ctx context.Context, pc *net.UDPConn, cfg UDPConfig) error {
	stop := context.AfterFunc(ctx, func() { _ = pc.Close() })
	defer stop()
	u := &udp{UDPConfig: cfg, pc: pc, codes: newCodes(), sources: make(map[netip.AddrPort]*source)}
	defer func() {
		for _, s := range u.sources {
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
			u.sweep(now)
		}
		var timeout net.Error
		switch {
		case ctx.Err() != nil:
			return nil
		case errors.As(err, &timeout) && timeout.Timeout():
			continue
		case err == nil && (bytes.HasPrefix(buf[:n], errorLine) || !u.Admit(addr.Addr().Unmap())):
			continue // two that answer each other's errors would go on for ever
		case err != nil:
			// A peer that went away makes an error here, which is no fault of the socket's.
			u.Log.Debug("datagram not read", slog.Any("error", err))
			if errors.Is(err, net.ErrClosed) {
				return err
			}
			continue
		}
		u.take(addr, buf[:n], now)
	}
}

// take runs the frame of a datagram, if it is from who says so.
func (u *udp) take(addr netip.AddrPort, p []byte, now time.Time) {
	f := line.Datagram(p)
	s := u.sources[addr]
	if s != nil {
		s.heard = now
	}
	if !u.Trusted(addr.Addr().Unmap()) {
		name, code := f.Text, ""
		if f.Verb == line.Iam {
			name, code = cutCode(f.Text)
		}
		switch {
		case code != "" && u.codes.valid(addr, code, now):
			f.Text = name
		case s == nil:
			u.ask(addr, f, code != "", len(p), now)
			return
		}
	}
	u.answer(addr, f, now)
}

// ask answers a source of which it is not known whether it is where it says, to a
// datagram of size bytes: with the frame that signs it in, if that is what it wants.
func (u *udp) ask(addr netip.AddrPort, f line.Frame, coded bool, size int, now time.Time) {
	var answer []byte
	name, err := line.Name(f.Text)
	switch {
	case f.Verb == line.Bad:
		answer = line.Error(nil, f.Err)
	case f.Verb == line.Msg:
		answer = line.Error(nil, errNobody)
	case err != nil:
		answer = line.Error(nil, err.Error())
	case coded:
		// Another code would be answered by a server at a forged address, and so on.
		answer = line.Error(nil, "wrong or old code; send iam:NAME")
	default:
		answer = fmt.Appendf(nil, "iam:%s#%s\n", name, u.codes.code(addr, now))
	}
	if len(answer) > maxAnswer*size {
		answer = line.Error(nil, "iam:?")
	}
	if len(answer) <= maxAnswer*size {
		u.send(addr, answer)
	}
}

// errNobody answers a message before a name.
const errNobody = "say who you are first: iam:NAME"

// answer runs a frame. Who has not signed in by it, or before, is answered and forgotten.
func (u *udp) answer(addr netip.AddrPort, f line.Frame, now time.Time) {
	write := func(lines []byte) { u.send(addr, lines) }
	fail := func(message string) { write(line.Error(nil, message)) }
	s := u.sources[addr]
	switch {
	case f.Verb == line.Bad:
		fail(f.Err)
	case f.Verb == line.Msg && s == nil:
		fail(errNobody)
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
	case len(u.sources) >= maxSources:
		fail("too many are here over UDP; try again in a minute, or use TCP")
	default:
		s := &source{speaker: u.Open(addr, write), heard: now}
		if err := s.speaker.SignIn(f.Text); err != nil {
			fail(err.Error())
			s.speaker.Leave()
			return
		}
		u.sources[addr] = s
	}
}

// send sends each line as a datagram. What the kernel does not take is lost, as
// datagrams are.
func (u *udp) send(addr netip.AddrPort, lines []byte) {
	for l := range bytes.Lines(lines) {
		if _, err := u.pc.WriteToUDPAddrPort(l, addr); err != nil {
			return
		}
	}
}

func (u *udp) sweep(now time.Time) {
	for addr, s := range u.sources {
		if now.Sub(s.heard) > gone {
			s.speaker.Leave()
			delete(u.sources, addr)
		}
	}
}
