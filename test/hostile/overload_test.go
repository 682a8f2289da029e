package hostile

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/linnet-im/linnet/internal/testkit"
)

// A hundred send many times what the disk takes, without waiting for answers. Each has as
// many calls in flight as it may and then is not read from, so that the server stays
// small; it answers each call in the end, and others meanwhile.
//
// Mutant that was tried: calls in flight without a bound.
func TestOverload(t *testing.T) {
	const (
		senders, each = 100, 1500
		// overload is what the server may use then: far less than the calls that wait in
		// the kernels' buffers and in the senders.
		overload = 512 << 20
	)
	server := testkit.Start(t)
	b := newBystander(t, server)
	text := strings.Repeat("more", 256)
	var answered atomic.Int64
	var wg sync.WaitGroup
	for i := range senders {
		r := join(t, server, fmt.Sprint("sender", i))
		wg.Go(func() {
			for range each {
				_, err := fmt.Fprintf(r.conn, `{"id":2,"method":"messages.send","params":{"to":{"user":"sink"},"client_id":%q,`+
					`"content":{"type":"text","text":%q}}}`+"\n", uuid.NewString(), text)
				if err != nil {
					t.Errorf("sender %d: %v", i, err)
					return
				}
			}
		})
		wg.Go(func() {
			for n := range each {
				line, err := r.until(`"id":2,`)
				if err != nil || !strings.Contains(line, `"result"`) {
					t.Errorf("sender %d, answer %d: %s, %v", i, n, line, err)
					_, _ = io.Copy(io.Discard, r.conn) // until its writer has ended
					return
				}
				answered.Add(1)
			}
		})
	}
	most := int64(0)
	for answered.Load() < senders*each && !t.Failed() {
		b.served(testkit.Patience)
		most = max(most, server.RSS())
		time.Sleep(100 * time.Millisecond)
	}
	wg.Wait()
	b.served(testkit.Patience)
	if most > overload {
		t.Errorf("the server used %d MB", most>>20)
	}
	t.Logf("the server used %d MB", most>>20)
}
