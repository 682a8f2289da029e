package bench

import (
	"context"
	"fmt"
	"time"
)

// addAtATime is how many members are added with one call: as many as the server takes.
const addAtATime = 1000

// withTwo is what a large group is compared with.
const withTwo = "a group of two"

// runLarge measures sends into a group of very many, few of whom are online, beside sends
// into a group of two that have as many sessions: what is delivered is the same, so what
// differs is what the members who are not there cost.
func runLarge(ctx context.Context, t *target, run string, o *Options) (m measures, err error) {
	users, two := names(run+"-m", o.Large), names(run+"-two", 2)
	large, took, err := buildGroup(ctx, t, users)
	if err != nil {
		return nil, fmt.Errorf("build the group: %w", err)
	}
	var sum time.Duration
	for _, d := range took {
		sum += d
	}
	m.add("building the group", "s", sum.Seconds(), true)
	tenth := max(1, len(took)/10)
	m.add("a members.add, the last tenth of them", "ms", mean(took[len(took)-tenth:]).Seconds()*1e3, true)
	m.beside("the first tenth", "a members.add, the last tenth of them", "ms", mean(took[:tenth]).Seconds()*1e3, true)

	sessions := make([]string, o.Online)
	for i := range sessions {
		sessions[i] = two[i%2]
	}
	for _, window := range o.Windows {
		small, err := sendsInto(ctx, t, o, sessions, window, func(sender *receiver) (string, error) {
			return createGroup(sender.conn, two[1:], sender.takeEvent)
		})
		if err != nil {
			return nil, fmt.Errorf("%s: %w", withTwo, err)
		}
		big, err := sendsInto(ctx, t, o, users[:o.Online], window, func(*receiver) (string, error) { return large, nil })
		if err != nil {
			return nil, err
		}
		head := fmt.Sprintf("window %d: ", window)
		m.add(head+"sends", "a second", big.rate, true)
		m.beside(withTwo, head+"sends", "a second", small.rate, true)
		m.add(head+"server CPU for a send", "µs", big.cpu, big.known)
		m.beside(withTwo, head+"server CPU for a send", "µs", small.cpu, small.known)
		m.ms(head+"until a send is acknowledged", &big.acked)
		m.msBeside(withTwo, head+"until a send is acknowledged", &small.acked)
		m.ms(head+"until the last who is online has it", &big.delivered)
		m.msBeside(withTwo, head+"until the last who is online has it", &small.delivered)
	}
	return m, nil
}

func mean(list []time.Duration) (sum time.Duration) {
	for _, d := range list {
		sum += d
	}
	return sum / time.Duration(len(list))
}

// buildGroup makes a group of the users, the first one its owner, and tells how long each
// members.add took.
func buildGroup(ctx context.Context, t *target, users []string) (id string, took []time.Duration, err error) {
	c, err := t.dial(ctx, users[0])
	if err != nil {
		return "", nil, err
	}
	defer c.Close()
	defer context.AfterFunc(ctx, func() { c.Close() })()
	if id, err = createGroup(c, users[1:2], nil); err != nil {
		return "", nil, err
	}
	for from := 2; from < len(users); from += addAtATime {
		start := time.Now()
		err := c.call("members.add", map[string]any{
			"conversation": id,
			"client_id":    string(c.ids.append(nil, c.id+1)),
			"users":        users[from:min(from+addAtATime, len(users))],
		}, nil, nil)
		if err != nil {
			return "", nil, err
		}
		took = append(took, time.Since(start))
	}
	var group struct{ Members int }
	if err := c.call("conversations.get", map[string]any{"conversation": id}, &group, nil); err != nil {
		return "", nil, err
	}
	if group.Members != len(users) {
		return "", nil, fmt.Errorf("the group has %d members; %d were added", group.Members, len(users))
	}
	return id, took, nil
}

// sends is what sends into one group cost.
type sends struct {
	rate, cpu        float64 // a second; µs
	known            bool    // cpu is
	acked, delivered Histogram
}

// sendsInto measures sends into one group that all sessions are told of.
func sendsInto(ctx context.Context, t *target, o *Options, sessions []string, window int, conversation func(*receiver) (string, error)) (*sends, error) {
	f, err := openFanout(ctx, t, sessions, window, conversation)
	if err != nil {
		return nil, err
	}
	defer f.fleet.close()
	_, used, err := f.measure(t, o)
	if err != nil {
		return nil, err
	}
	n := float64(f.acks.latency.Count())
	return &sends{
		rate: n / used.elapsed.Seconds(), cpu: used.server.Seconds() * 1e6 / n, known: used.known,
		acked: f.acks.latency, delivered: f.delivered,
	}, nil
}
