package chaos

import (
	"math/rand/v2"
	"time"

	"github.com/linnet-im/linnet/internal/testkit"
)

// longest is how long one trouble lasts at most.
const longest = 40 * time.Millisecond

// trouble is what a phone has in a lift: for a moment the network freezes, crawls, or
// takes what goes nowhere, or nothing is wrong; then all its connections are cut.
func trouble(rng *rand.Rand, p *testkit.Proxy) {
	var up, down testkit.Way
	switch rng.IntN(7) {
	case 0: // only the cut
	case 1:
		down.Freeze = true
	case 2:
		up.Freeze, down.Freeze = true, true
	case 3:
		up.Split, down.Split = true, true
	case 4:
		up.Delay, down.Delay = upTo(rng, longest/4), upTo(rng, longest/4)
	case 5:
		up.Swallow = true
	case 6:
		down.Swallow = true
	}
	p.Set(up, down)
	time.Sleep(upTo(rng, longest)) // how long it lasts is the input
	p.Cut(rng.IntN(2) == 0)
	p.Set(testkit.Way{}, testkit.Way{})
}

func upTo(rng *rand.Rand, most time.Duration) time.Duration {
	return time.Duration(rng.Int64N(int64(most)))
}
