package bench

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
)

// The bare programs that Linnet is measured against. They take the same frames as
// Linnet and answer with frames of the same kind, but parse no JSON, know no users and
// keep no state: what they cost is what the machine asks for the work as such.
const (
	bareLog    = "log"    // one write and one sync for all that waits, then answer and deliver
	bareWriter = "writer" // no log: one goroutine writes to all members, in order
	barePages  = "pages"  // answers each request with the same ready page
	bareAccept = "accept" // a goroutine a connection, which answers its first line and waits for more
)

// Peer is a bare program: it listens on a loopback port, prints the address, and
// serves until in ends or ctx is cancelled. Kind is log, writer, pages or accept; the log is
// kept in dir.
func Peer(ctx context.Context, kind, dir string, in io.Reader, out io.Writer) error {
	p := &peer{kind: kind, channels: make(map[string]*channel)}
	switch kind {
	case bareLog:
		log, err := openLog(dir)
		if err != nil {
			return err
		}
		p.log = log
		defer log.close()
	case bareWriter, barePages, bareAccept:
	default:
		return fmt.Errorf("no such peer: %q; there are log, writer, pages and accept", kind)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		// It stays in its read if ctx ends first; then the process does too.
		_, _ = io.Copy(io.Discard, in)
		cancel()
	}()
	stop := context.AfterFunc(ctx, func() {
		listener.Close()
		p.closeAll()
	})
	defer stop()
	fmt.Fprintln(out, listener.Addr())
	var readers sync.WaitGroup
	defer readers.Wait()
	for {
		c, err := listener.Accept()
		if ctx.Err() != nil {
			return nil
		}
		if err != nil {
			p.closeAll()
			return fmt.Errorf("accept: %w", err)
		}
		readers.Go(func() { p.serve(c) })
	}
}

type peer struct {
	kind string
	log  *groupLog // of a log only

	mu       sync.Mutex
	conns    []net.Conn
	closed   bool
	channels map[string]*channel
}

// channel is one sender and those it sends to.
type channel struct {
	mu      sync.Mutex // guards members
	members []net.Conn

	// The rest is used by one goroutine: the log's, or the sender's.
	sender          net.Conn
	seq             int64
	answers, events []byte
}

func (p *peer) closeAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.conns {
		c.Close()
	}
}

func (p *peer) add(c net.Conn) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.conns = append(p.conns, c)
	return !p.closed
}

func (p *peer) channel(name string) *channel {
	p.mu.Lock()
	defer p.mu.Unlock()
	ch := p.channels[name]
	if ch == nil {
		ch = new(channel)
		p.channels[name] = ch
	}
	return ch
}

// serve reads a connection's first line, "CHANNEL send" or "CHANNEL receive", answers
// it, and then a sender's lines.
func (p *peer) serve(c net.Conn) {
	defer c.Close()
	if !p.add(c) {
		return
	}
	r := bufio.NewReaderSize(c, 64)
	hello, err := r.ReadString('\n')
	if err != nil {
		return
	}
	if p.kind == bareAccept {
		if _, err := io.WriteString(c, "ready\n"); err == nil {
			_, _ = r.ReadString('\n') // until it closes
		}
		return
	}
	name, role, _ := strings.Cut(strings.TrimSuffix(hello, "\n"), " ")
	ch := p.channel(name)
	if role == "receive" {
		ch.mu.Lock()
		ch.members = append(ch.members, c)
		ch.mu.Unlock()
	}
	if _, err := io.WriteString(c, "ready\n"); err != nil || role == "receive" {
		_, _ = io.Copy(io.Discard, c) // until it closes
		return
	}
	ch.sender = c
	p.read(c, func(lines []byte) error {
		switch p.kind {
		case bareLog:
			p.log.append(ch, lines)
			return nil
		case bareWriter:
			return ch.deliver(lines)
		default:
			return ch.page(lines)
		}
	})
}

// read gives whole lines to take, as many as came in one read.
func (p *peer) read(c net.Conn, take func(lines []byte) error) {
	buf := make([]byte, 64<<10)
	n := 0
	for {
		got, err := c.Read(buf[n:])
		n += got
		whole := bytes.LastIndexByte(buf[:n], '\n') + 1
		if whole > 0 {
			if take(buf[:whole]) != nil {
				return
			}
			n = copy(buf, buf[whole:n])
		}
		if err != nil || n == len(buf) {
			return
		}
	}
}

const (
	answerHead = `{"jsonrpc":"2.0","id":`
	answerSeq  = `,"result":{"conversation":"d_aaaaaaaaaaaaaaaaaaaaaaaaaa","seq":`
	answerTail = `,"time":"2026-01-01T00:00:00.000Z"}}` + "\n"
	eventHead  = `{"jsonrpc":"2.0","method":"event","params":{"seq":`
	eventKind  = `,"kind":"message","call":`
	eventTail  = "}}\n"
)

// deliver answers each line to the sender and writes it to all, the sender too: one
// write a socket. Go's sockets do not block the thread; a full one makes this wait,
// which the window of the generator does not let happen.
func (ch *channel) deliver(lines []byte) error {
	ch.answers, ch.events = ch.answers[:0], ch.events[:0]
	for line := range bytes.Lines(lines) {
		ch.seq++
		ch.answers = append(ch.answers, answerHead...)
		ch.answers = appendInt(ch.answers, ch.seq)
		ch.answers = append(ch.answers, answerSeq...)
		ch.answers = appendInt(ch.answers, ch.seq)
		ch.answers = append(ch.answers, answerTail...)
		ch.events = append(ch.events, eventHead...)
		ch.events = appendInt(ch.events, ch.seq)
		ch.events = append(ch.events, eventKind...)
		ch.events = append(ch.events, line[:len(line)-1]...)
		ch.events = append(ch.events, eventTail...)
	}
	ch.answers = append(ch.answers, ch.events...)
	_, failed := ch.sender.Write(ch.answers)
	ch.mu.Lock()
	defer ch.mu.Unlock()
	for _, m := range ch.members {
		if _, err := m.Write(ch.events); err != nil {
			failed = err
		}
	}
	return failed
}

// page answers each line with a page of ready events.
func (ch *channel) page(lines []byte) error {
	if ch.events == nil {
		ch.events = readyPage()
	}
	ch.answers = ch.answers[:0]
	for range bytes.Count(lines, []byte{'\n'}) {
		ch.seq++
		ch.answers = append(ch.answers, answerHead...)
		ch.answers = appendInt(ch.answers, ch.seq)
		ch.answers = append(ch.answers, ch.events...)
	}
	_, err := ch.sender.Write(ch.answers)
	return err
}

// readyPage is an answer to messages.list, from behind its id on.
func readyPage() []byte {
	ids := newClientID()
	page := []byte(`,"result":{"conversation":"d_aaaaaaaaaaaaaaaaaaaaaaaaaa","from_seq":1,"to_seq":50,"head_seq":50,"events":[`)
	for seq := range int64(pageEvents) {
		if seq > 0 {
			page = append(page, ',')
		}
		page = append(page, `{"conversation":"d_aaaaaaaaaaaaaaaaaaaaaaaaaa","seq":`...)
		page = appendInt(page, seq+1)
		page = append(page, `,"kind":"message","from":"bench-000000-h-0","client_id":"`...)
		page = ids.append(page, seq)
		page = append(page, `","time":"2026-01-01T00:00:00.000Z","count":`...)
		page = appendInt(page, seq+1)
		page = append(page, `,"content":{"type":"text","text":"`...)
		page = append(page, payloadText...)
		page = append(page, `"}}`...)
	}
	return append(page, "]}}\n"...)
}

// openBare says hello to a bare program. The user ids of the workloads end in a role
// and a number; the role and the number make the channel.
func openBare(c *conn, user string) error {
	name, role, err := bareChannel(user)
	if err != nil {
		return err
	}
	c.out = append(c.out, name+" "+role+"\n"...)
	frame, err := c.next()
	if err == nil && string(frame) != "ready" {
		err = errors.New("the bare program is not ready")
	}
	return err
}

// bareChannel finds a user's channel: pairs have one each, a group's members share
// one, and each client that reads history has its own.
func bareChannel(user string) (name, role string, err error) {
	parts := strings.Split(user, "-")
	if len(parts) < 2 {
		return "", "", fmt.Errorf("user %q has no role", user)
	}
	number := parts[len(parts)-1]
	switch parts[len(parts)-2] {
	case "s", "h", "c":
		return number, "send", nil
	case "r":
		return number, "receive", nil
	case "m":
		if number == "0" {
			return "group", "send", nil
		}
		return "group", "receive", nil
	}
	return "", "", fmt.Errorf("user %q has no role", user)
}
