package sock

import (
	"io"
	"testing"
)

// BenchmarkFanOut writes one frame to a thousand sockets whose peers read: an operation
// is a delivery.
func BenchmarkFanOut(b *testing.B) {
	const sockets = 1000
	conns := make([]*Conn, sockets)
	for i := range conns {
		c, peer := pair(b, Config{MaxQueue: 1 << 20})
		conns[i] = c
		go func() { _, _ = io.Copy(io.Discard, peer) }()
	}
	frame := numbered(256)
	b.SetBytes(int64(len(frame)))
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i++ {
		if !conns[i%sockets].Send(frame) {
			b.Fatal("closed")
		}
	}
}
