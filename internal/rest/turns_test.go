package rest

import (
	"context"
	"net/http"
	"net/http/httptest"
	"sync"
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

// untaken is an answer that its peer does not take until room is closed.
type untaken struct {
	*httptest.ResponseRecorder
	reached chan<- struct{}
	room    <-chan struct{}
}

func (u untaken) Write(p []byte) (int, error) {
	u.reached <- struct{}{}
	<-u.room
	return u.ResponseRecorder.Write(p)
}

// Who takes no answers has only so many calls run, and nobody else waits for that. Mutant:
// method without turns.
func TestAnswersThatNobodyTakes(t *testing.T) {
	n := start(t, chat.GuestsLobby)
	alice, bob := n.token("alice", time.Now()), n.token("bob", time.Now())
	reached, room := make(chan struct{}), make(chan struct{})
	var asked sync.WaitGroup
	for range calls {
		asked.Go(func() {
			n.ServeHTTP(untaken{httptest.NewRecorder(), reached, room}, call("sync", alice, `{}`))
		})
	}
	for range calls {
		<-reached
	}
	ctx, gone := context.WithCancel(t.Context())
	gone()
	wantProblem(t, n.do(call("sync", alice, `{}`).WithContext(ctx)), http.StatusServiceUnavailable, wire.CodeBusy)
	if w := n.do(call("sync", bob, `{}`)); w.Code != http.StatusOK {
		t.Errorf("another user is answered %d %s", w.Code, w.Body)
	}
	close(room)
	asked.Wait()
	if w := n.do(call("sync", alice, `{}`)); w.Code != http.StatusOK {
		t.Errorf("when they are taken: %d %s", w.Code, w.Body)
	}
}
