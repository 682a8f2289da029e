package session

import (
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/linnet-im/linnet/internal/chat"
	"github.com/linnet-im/linnet/wire"
)

func onPlatform(token, device, platform string) *wire.OpenParams {
	return &wire.OpenParams{Token: token, Device: &wire.Device{ID: device, Platform: platform, Name: "the " + device}}
}

// However many devices sign in at the same moment, one is in afterwards, by either policy, and
// the others are told why not. Mutants: the session's number taken before it is live; others
// kicks those that came later too; a refusal that looks only before it goes live.
func TestOneDeviceIsLeft(t *testing.T) {
	for _, policy := range []Policy{KickDevice, RefuseDevice} {
		t.Run(string(policy), func(t *testing.T) {
			for range 50 {
				inBubble(t, chat.GuestsOff, func(t *testing.T, n *node) {
					n.cfg.Devices = Devices{Policy: policy, Groups: [][]string{{"ios", "android"}}}
					token := n.token("alice", time.Hour)
					const devices = 8
					var peers [devices]*peer
					var refused [devices]error
					var run sync.WaitGroup
					for i := range devices {
						s, p := n.connect()
						peers[i] = p
						run.Go(func() {
							_, refused[i] = s.Open(t.Context(), onPlatform(token, fmt.Sprint("d", i), []string{"ios", "android", "iOS"}[i%3]))
						})
					}
					run.Wait()
					synctest.Wait()
					in := 0
					for i, p := range peers {
						last, ended := p.ended()
						switch {
						case refused[i] == nil && !ended:
							in++
						case refused[i] != nil:
							wantCode(t, refused[i], wire.CodeElsewhere)
						case !strings.HasPrefix(last, "close signed_in_elsewhere"):
							t.Errorf("device %d ended with %q", i, last)
						}
					}
					if live := len(n.liveOf("alice")); in != 1 || live != 1 {
						t.Errorf("%d devices are in, %d are live", in, live)
					}
				})
			}
		})
	}
}

// A stream and a poll are told with the name of the device, and what was kicked while it was
// away is refused when it comes back, by a token from before. Mutants: SignInAlone of what is
// live alone; Admits without Elsewhere; its token good where no device is named.
func TestKickedDeviceStaysAway(t *testing.T) {
	inBubble(t, chat.GuestsOff, func(t *testing.T, n *node) {
		n.cfg.Devices = Devices{Policy: KickDevice}
		early := n.token("alice", time.Hour)
		away, _ := n.connect()
		if _, err := away.Open(t.Context(), onPlatform(early, "away", "ios")); err != nil {
			t.Fatal(err)
		}
		away.Closed()
		poll, err := n.Poll(t.Context(), onPlatform(n.token("alice", 3*time.Hour), "poller", "web"))
		if err != nil {
			t.Fatal(err)
		}
		streamed := n.token("alice", 2*time.Hour)
		stream, err := n.OpenStream(t.Context(), onPlatform(streamed, "streamer", "android"), "sse", 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		defer stream.Closed()
		time.Sleep(time.Second)
		for _, platform := range []string{"ios", "web", "android"} {
			s, _ := n.connect()
			defer s.Closed()
			if _, err := s.Open(t.Context(), onPlatform(n.token("alice", time.Hour), "new "+platform, platform)); err != nil {
				t.Fatal(err)
			}
		}
		told, last := stream.Next(t.Context())
		if want := `"device":"the new android"`; !last || !strings.Contains(string(told[len(told)-1].Params), want) {
			t.Errorf("the stream was told %s", told)
		}
		told, last = poll.Notices()
		if want := `"device":"the new web"`; !last || !strings.Contains(string(told[len(told)-1].Params), want) {
			t.Errorf("the poll was told %s", told)
		}
		for device, platform := range map[string]string{"away": "ios", "streamer": "android", "poller": "web"} {
			_, err := n.Authenticate(t.Context(), onPlatform(early, device, platform))
			wantCode(t, err, wire.CodeElsewhere)
		}
		// The token it came with is good nowhere, also where no device is named.
		_, err = n.Authenticate(t.Context(), &wire.OpenParams{Token: streamed})
		wantCode(t, err, wire.CodeRevoked)
		time.Sleep(2 * time.Second)
		if err := n.cfg.Chat.FlushVisits(t.Context()); err != nil {
			t.Fatal(err)
		}
		_, err = n.Authenticate(t.Context(), onPlatform(early, "away", "ios"))
		wantCode(t, err, wire.CodeElsewhere)
		// Signed in again it is good, and with it what stays of its session.
		back, _ := n.connect()
		defer back.Closed()
		late := n.token("alice", time.Hour)
		if _, err := back.Open(t.Context(), onPlatform(late, "away", "ios")); err != nil {
			t.Fatal(err)
		}
		if _, err := n.Authenticate(t.Context(), onPlatform(late, "away", "ios")); err != nil {
			t.Error(err)
		}
		// Signed out by the user it is told so.
		time.Sleep(time.Second)
		if _, err := back.Signed().RevokeDevice(t.Context(), "away"); err != nil {
			t.Fatal(err)
		}
		_, err = n.Authenticate(t.Context(), onPlatform(late, "away", "ios"))
		wantCode(t, err, wire.CodeRevoked)
	})
}
