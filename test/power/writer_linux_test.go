package power

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/internal/store/sqlite"
)

// senders is how many goroutines write, each as a user of its own.
const senders = 8

// window is how many sends of one sender wait for their answers.
const window = 4

// groupKey makes each round's CreateGroup the same call, which every round repeats.
var groupKey = uuid.MustParse("01938d5e-0000-7000-8000-000000000001")

// ack is an acknowledged send, as the writer prints it.
type ack struct {
	sender       int
	conversation chat.ConversationID
	seq          chat.Seq
	clientID     string
	to           chat.UserID // of a direct message
}

func (a ack) String() string {
	return fmt.Sprintf("%d %s %d %s %s\n", a.sender, a.conversation, a.seq, a.clientID, a.to)
}

func parseAck(line string) (a ack, err error) {
	_, err = fmt.Sscanf(line+".", "%d %s %d %s %s", &a.sender, &a.conversation, &a.seq, &a.clientID, &a.to)
	a.to = a.to[:len(a.to)-1] // the dot keeps an empty last field readable
	return a, err
}

func user(i int) chat.UserID { return chat.UserID(fmt.Sprintf("u%d", i)) }

// content is made from the client id, so that the checker can tell what it was.
func content(clientID string) json.RawMessage {
	pad := strings.Repeat(clientID[:8], int(clientID[0])*int(clientID[1])%200)
	return json.RawMessage(fmt.Sprintf(`{"type":"text","text":"%s %s"}`, clientID, pad))
}

// instantBus answers the senders and delivers to nobody.
type instantBus struct{}

func (instantBus) Publish(batch []chat.Commit) {
	for i := range batch {
		batch[i].Answer()
		batch[i].Flush()
	}
}

func (instantBus) Notify(chat.Notice) {}

// openService opens the store in dir and a service on it. stop closes both.
func openService(dir, synchronous string) (s *chat.Service, store chat.Store, stop func(), err error) {
	ctx := context.Background()
	store, err = sqlite.Open(ctx, storeConfig(dir, synchronous))
	if err != nil {
		return nil, nil, nil, err
	}
	s, err = chat.New(ctx, chat.Config{Guests: chat.GuestsFull}, store, instantBus{})
	if err != nil {
		store.Close()
		return nil, nil, nil, err
	}
	return s, store, func() { s.Close(); store.Close() }, nil
}

// write sends from all senders until the store fails, and prints every acknowledged send.
func write(dir, synchronous string) error {
	s, _, _, err := openService(dir, synchronous)
	if err != nil {
		return err
	}
	var others []chat.UserID
	for i := 1; i < senders; i++ {
		others = append(others, user(i))
	}
	group, err := s.CreateGroup(context.Background(), chat.Actor{User: user(0)}, chat.CreateGroup{
		Key: groupKey, ClientID: groupKey.String(), Name: "all", Users: others,
	})
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	for i := range senders {
		wg.Go(func() { send(s, i, group.Conversation) })
	}
	wg.Wait()
	return nil
}

// send writes as one sender, to the lobby, the group and its neighbour in turn.
func send(s *chat.Service, sender int, group chat.ConversationID) {
	failed := make(chan struct{})
	var once sync.Once
	free := make(chan struct{}, window)
	for n := rand.IntN(3); ; n++ {
		select {
		case free <- struct{}{}:
		case <-failed:
			return
		}
		id := uuid.New()
		m := chat.Send{ClientID: id.String(), Key: id, Once: true, Content: content(id.String())}
		switch n % 3 {
		case 0:
			m.Conversation = chat.Lobby
		case 1:
			m.Conversation = group
		case 2:
			m.ToUser = user((sender + 1) % senders)
		}
		s.Send(chat.Actor{User: user(sender)}, m, reply(func(p chat.Place, err error) {
			if err != nil {
				once.Do(func() { close(failed) })
				return
			}
			// One write of a short line to a pipe is whole or not there.
			os.Stdout.WriteString(ack{sender, p.Conversation, p.Seq, id.String(), m.ToUser}.String())
			<-free
		}))
	}
}

// reply is a chat.Reply that calls a function.
type reply func(chat.Place, error)

func (r reply) Answer(p chat.Place, err error) { r(p, err) }
func (reply) Flush()                           {}
