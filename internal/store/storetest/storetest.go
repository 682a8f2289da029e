// Package storetest is what every chat.Store must do, as one suite of tests. Where it
// guards against a tempting mistake, a comment names the mutant that must fail it.
package storetest

import (
	"testing"

	"github.com/linnet-im/linnet/internal/chat"
)

// Run tests the stores that open makes. Each call must make an empty one; Run closes it.
func Run(t *testing.T, open func(testing.TB) chat.Store) {
	tests := []struct {
		name string
		test func(*fixture)
	}{
		{"update writes and loads", testRoundTrip},
		{"update without changes", testNoChanges},
		{"update fails whole", testAtomic},
		{"loaded rows are copies", testCopies},
		{"update cancelled", testCancelled},
		{"duplicates in a batch", testBatchDuplicates},
		{"duplicates at once", testConcurrentDuplicates},
		{"updates at once", testConcurrentUpdates},
		{"call", testCalls},
		{"tally", testTally},
		{"heirs", testHeirs},
		{"users", testUsers},
		{"accounts", testAccounts},
		{"user ids", testUserIDs},
		{"items", testItems},
		{"items fail whole", testItemsAtomic},
		{"details", testDetails},
		{"events for a few", testOnly},
		{"revised events", testRevised},
		{"neighbours", testNeighbours},
		{"not found", testNotFound},
		{"members", testMembers},
		{"audience", testAudience},
		{"events", testEvents},
		{"changed", testChanged},
		{"changed while heads move", testChangedMoving},
		{"heads", testHeads},
		{"fork", testFork},
		{"changed users", testChangedUsers},
		{"position", testPosition},
		{"lineage", func(f *fixture) { testLineage(f, open) }},
		{"forget calls", testForgetCalls},
		{"10,000 members", testLarge},
		{"close", testClose},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			s := open(t)
			t.Cleanup(func() {
				if err := s.Close(); err != nil {
					t.Errorf("Close: %v", err)
				}
			})
			tt.test(&fixture{T: t, Store: s})
		})
	}
}
