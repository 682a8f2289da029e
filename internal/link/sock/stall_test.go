package sock

import (
	"bytes"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"
)

// Both tests run on a clock of their own.

func TestAPeerThatTakesLittleIsNotStalled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc, peer := net.Pipe()
		c := New(nc, &Config{MaxQueue: 1 << 20})
		want := numbered(200_000)
		c.Send(want)
		c.CloseAfter(nil, time.Hour)
		var got []byte
		buf := make([]byte, 1000)
		for {
			time.Sleep(time.Second)
			n, err := peer.Read(buf)
			got = append(got, buf[:n]...)
			if err == io.EOF {
				break
			}
			if err != nil {
				t.Fatal(err)
			}
		}
		if !bytes.Equal(got, want) {
			t.Fatalf("%d bytes of %d came", len(got), len(want))
		}
		<-c.Done()
		_ = peer.Close()
	})
}

func TestAPeerThatTakesNothingIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		nc, peer := net.Pipe()
		began := time.Now()
		c := New(nc, &Config{MaxQueue: 1 << 20})
		c.Send([]byte("x"))
		<-c.Done()
		if after := time.Since(began); after != stallTime {
			t.Errorf("closed after %v", after)
		}
		_ = peer.Close()
	})
}
