package kill

import (
	"testing"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

// What was signed out stays so through kill -9: it was on disk before it was answered.
// Mutant: Revoke answered before its commit. The connection that was signed out is
// closed at once, well within the five seconds that are promised.
func TestRevocationsOutliveKills(t *testing.T) {
	server := testkit.Start(t)
	const rounds = 3
	for range rounds {
		// Another second each round, so that the token is another one.
		stolen := server.TokenFor(t, "alice")
		thief, alice := server.Dial(t), server.DialWS(t)
		thief.SignIn(t, stolen)
		waitForNextSecond()
		alice.SignIn(t, server.TokenFor(t, "alice"))
		var closed struct{ Closed int }
		if err := alice.Call("sessions.revoke_others", struct{}{}, &closed); err != nil || closed.Closed != 1 {
			t.Fatalf("closed %d, %v", closed.Closed, err)
		}
		server.Kill()
		if n, err := thief.Next("close"); err != nil {
			t.Errorf("the thief is told nothing: %s %v", n.Params, err)
		}
		server.Restart()
		err := server.Dial(t).Call("session.open", map[string]string{"token": stolen}, nil)
		if testkit.Code(err) != "revoked" {
			t.Fatalf("after the kill the stolen token gets %v", err)
		}
		waitForNextSecond()
	}
}

// waitForNextSecond waits until tokens made now have a later time of issue.
func waitForNextSecond() { time.Sleep(time.Until(time.Now().Truncate(time.Second).Add(time.Second))) }
