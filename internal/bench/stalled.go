package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

const (
	// stalledShare is one in how many members stops reading.
	stalledShare = 100
	// stalledText is how long each is: the kernel's buffers must fill in seconds.
	stalledText = 4 << 10
	// stalledReceive is the receive buffer of those who stop: left alone the kernel makes it
	// megabytes, and it would be long before the server has anything to wait for.
	stalledReceive = 64 << 10
	// stalledWait is how long the server has to find out.
	stalledWait = time.Minute

	lobby = "lobby"
	// crowdPace is how often a message is sent to those in the lobby.
	crowdPace = 100 * time.Millisecond
)

var slowMark = []byte(`"method":"close","params":{"code":"slow"`)

// crowd is members of a room, one who speaks, and some who will stop reading.
type crowd struct {
	target  *target
	fleet   *fleet
	members []*member
	room    string
	speaker *conn
	acks    *acks
	sent    [1 << 12]atomic.Int64 // by seq modulo its length: when it was due
	reached [1 << 12]atomic.Int32 // by seq modulo its length: how many have it, or were told that it was skipped
	clock   clock
	every   time.Duration // how often a message is sent
}

// member is a member of the room, who reads until it is to stop.
type member struct{ receiver }

// heard is how long those in a room waited.
type heard struct {
	any    Histogram // each of them for each message
	last   Histogram // the last of them for each message
	missed int64     // events they were told to have been skipped
}

// tallies are where those in a room count what they hear, some of them in one.
type tallies [64]struct {
	sync.Mutex
	heard
}

// runStalled measures the deliveries to a room's members, first while all of them read and
// then while one in a hundred has stopped: how long the others wait, when the server
// closes those, and what memory they cost it until then.
func runStalled(ctx context.Context, t *target, run string, o *Options) (m measures, err error) {
	c, err := openCrowd(ctx, t, run, o.Crowd)
	if err != nil {
		return nil, err
	}
	defer c.fleet.close()
	c.every = o.every(crowdPace)
	peak := watchMemory(t.pid)
	alone, err := c.speak(ctx, c.members, func() bool { return c.clock.now() >= 2*o.Duration })
	before, known := peak()
	if err != nil {
		return nil, err
	}
	m.ms("deliveries while all read", &alone.any)

	n := stalledOf(o.Crowd)
	stopped, reading := c.members[:n], c.members[n:]
	watching, stop := context.WithCancel(ctx)
	defer stop()
	watch, err := c.watchClosed(watching, n)
	if err != nil {
		return nil, err
	}
	peak = watchMemory(t.pid)
	beside, err := c.speak(ctx, reading, func() bool { return c.clock.now() >= 2*o.Duration && watch.ended() })
	if err != nil {
		stop()
	}
	after, _ := peak()
	found, watchErr := watch.wait()
	if err := errors.Join(err, watchErr); err != nil {
		return nil, err
	}
	for _, l := range stopped {
		if err := l.saysSlow(); err != nil && t.link != LinkTLS { // there it cannot be told
			return nil, err
		}
	}
	m.ms("deliveries while some have stopped", &beside.any)
	m.add("until the last who stopped was closed", "s", found.Seconds(), true)
	m.add("server memory for each who stopped", "KB", float64(after-before)/1000/float64(n), known)
	return m, nil
}

// stalledOf is how many of a crowd stop reading.
func stalledOf(crowd int) int { return max(1, crowd/stalledShare) }

// openCrowd has n users in the lobby, and one more who speaks.
func openCrowd(ctx context.Context, t *target, run string, n int) (*crowd, error) {
	t.rooms = []string{lobby}
	f, err := t.dialAll(ctx, names(run+"-c", n+1))
	if err != nil {
		return nil, err
	}
	for _, conn := range f.conns[:stalledOf(n)] {
		conn.shrink(stalledReceive)
	}
	f.conns[n].text = strings.Repeat(payloadText, stalledText/len(payloadText))
	return newCrowd(t, f, lobby)
}

// newCrowd makes a crowd of connections that are in a room; the last of them speaks. It
// closes them if it fails.
func newCrowd(t *target, f *fleet, room string) (*crowd, error) {
	n := len(f.conns) - 1
	c := &crowd{target: t, fleet: f, room: room, speaker: f.conns[n], clock: clock{time.Now()}}
	for _, conn := range f.conns[:n] {
		c.members = append(c.members, &member{receiver{conn: conn}})
	}
	first, err := c.speaker.send(map[string]string{"conversation": room}, nil)
	if err != nil {
		f.close()
		return nil, err
	}
	c.acks = newAcks(1, c.speaker.id, first.Seq)
	return c, nil
}

// speak sends to the room at its times until enough says so, and gives how long the
// members who read waited for each from when it was due.
func (c *crowd) speak(ctx context.Context, reading []*member, enough func() bool) (h heard, err error) {
	c.clock = clock{time.Now()}
	clock := c.clock
	g := &group{abort: c.fleet.close}
	counts := new(tallies)
	for i, l := range reading {
		if err := l.begin(); err != nil {
			return h, err
		}
		count := &counts[i%len(counts)]
		l.event = func(seq int64) {
			took := clock.now() - time.Duration(c.sent[seq%int64(len(c.sent))].Load())
			count.Lock()
			defer count.Unlock()
			count.any.Add(took)
			if c.reach(seq, len(reading)) {
				count.last.Add(took)
			}
		}
		l.gap = func(from, to int64) {
			count.Lock()
			defer count.Unlock()
			count.missed += to - from + 1
			for seq := from; seq <= to; seq++ {
				c.reach(seq, len(reading))
			}
		}
		g.run(l.run)
	}
	for due := clock.now(); !enough() && err == nil; due += c.every {
		err = errors.Join(pause(ctx, due-clock.now()), c.say(due))
	}
	g.fail(err)
	for _, l := range reading {
		g.fail(l.finish(c.acks.seq))
	}
	err = g.wait()
	for i := range counts {
		h.any.Merge(&counts[i].any)
		h.last.Merge(&counts[i].last)
		h.missed += counts[i].missed
	}
	return h, err
}

// reach counts one more who was told of seq, and says whether it was the last of n.
func (c *crowd) reach(seq int64, n int) bool {
	slot := &c.reached[seq%int64(len(c.reached))]
	if int(slot.Add(1)) < n {
		return false
	}
	slot.Store(0)
	return true
}

// say sends one message, due at that time.
func (c *crowd) say(due time.Duration) error {
	c.sent[(c.acks.seq+1)%int64(len(c.sent))].Store(int64(due))
	id := c.speaker.queueSend(c.room)
	if err := c.acks.expect(id, due); err != nil {
		return err
	}
	frame, err := c.speaker.answer(id, nil)
	if err != nil {
		return err
	}
	return c.acks.add(frame, id, c.clock.now())
}

// saysSlow reads to the end of a connection that was closed: it must say why.
func (l *member) saysSlow() error {
	if err := l.conn.SetReadDeadline(time.Now().Add(grace)); err != nil {
		return err
	}
	var said bool
	for {
		frame, err := l.conn.next()
		if err != nil {
			if !said {
				return fmt.Errorf("who stopped reading was closed without being told that it was slow: %w", err)
			}
			return nil
		}
		said = said || bytes.Contains(frame[:min(len(frame), 2*headBytes)], slowMark)
	}
}
