package chat

import (
	"fmt"
	"testing"
	"time"
)

func TestRates(t *testing.T) {
	now := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	r := newRates()
	take := func() bool {
		_, ok := r.take("k", 2, 3, now)
		return ok
	}
	for n := range 3 {
		if !take() {
			t.Fatalf("token %d of the burst was refused", n+1)
		}
	}
	if wait, ok := r.take("k", 2, 3, now); ok || wait != 500*time.Millisecond {
		t.Errorf("the fourth: %v, %v", wait, ok)
	}
	if _, ok := r.take("other", 2, 3, now); !ok {
		t.Error("another key's bucket is empty too")
	}
	now = now.Add(500 * time.Millisecond)
	if !take() || take() {
		t.Error("half a second gives one token at 2 a second")
	}
	now = now.Add(time.Hour)
	for range 3 {
		if !take() {
			t.Fatal("the bucket did not fill up")
		}
	}
	if take() {
		t.Error("the bucket holds more than its burst")
	}
	now = now.Add(-24 * time.Hour) // an operator sets the clock right
	if take() {
		t.Error("a clock that goes back gives tokens")
	}
	now = now.Add(500 * time.Millisecond)
	if !take() || take() {
		t.Error("after the clock went back, half a second is not one token")
	}
	if _, ok := r.take("k", 0, 0, now); !ok {
		t.Error("a rate of zero is no limit")
	}
}

func TestRatesForgetFullBuckets(t *testing.T) {
	now := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	r := newRates()
	for n := range maxBuckets {
		r.take(fmt.Sprint(n), 1, 1, now)
	}
	r.take("late", 0.001, 1, now)
	now = now.Add(time.Minute)
	r.take("one more", 1, 1, now)
	if len(r.buckets) != 2 {
		t.Errorf("%d buckets are kept, want the new one and the one that is not full", len(r.buckets))
	}
	if _, ok := r.take("late", 0.001, 1, now); ok {
		t.Error("a bucket that was not full was forgotten")
	}
}

// A store may run decide again: the send takes one token, and is judged by the first look.
// Mutant: sendOp.rate without rated.
func TestDecidingAgainTakesOneToken(t *testing.T) {
	now := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	s := &Service{
		cfg:   Config{Limits: Limits{SendsPerSecond: 0.001, SendsBurst: 2, RoomSendsPerSec: 1, RoomSendsBurst: 10}},
		rates: newRates(),
	}
	send := func() *sendOp {
		return &sendOp{service: s, actor: Actor{User: "alice", Limited: true}, id: Lobby}
	}
	decide := func(o *sendOp) error {
		rows := &Rows{Conversations: map[ConversationID]*Conversation{Lobby: {ID: Lobby, Kind: Room}}}
		b := newBatch(rows, now)
		b.current = &operation{}
		_, err := o.decide(b)
		return err
	}
	first := send()
	for range 5 {
		if err := decide(first); err != nil {
			t.Fatal(err)
		}
	}
	if err := decide(send()); err != nil {
		t.Error("the second send was refused: the first one took more than a token")
	}
	third := send()
	if decide(third) == nil {
		t.Error("the third send was taken")
	}
	now = now.Add(time.Hour)
	if decide(third) == nil {
		t.Error("what was refused once was taken when it was looked at again")
	}
}
