package reach

import (
	"net"
	"net/netip"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/testkit"
)

// Whose address can be forged is sent three times what it sent at most, and nothing of
// the lobby, until the code that was sent to it has come back: behind a proxy, where
// loopback is nobody's own, and in a local network.
//
// Mutants that were tried: Trusted that trusts everybody; loopback trusted behind a proxy.
func TestUDPOffLoopback(t *testing.T) {
	t.Run("behind a proxy", func(t *testing.T) {
		server := testkit.Start(t, "--behind-proxy", "127.0.0.1", "--udp", "on", "--guests", "lobby")
		udpNeedsCode(t, server, server.Addr)
	})
	t.Run("local network", func(t *testing.T) {
		private, ok := privateAddress(t)
		if !ok {
			t.Skip("this machine has no private address")
		}
		server := testkit.Start(t, "--lan", "--udp", "on", "--listen", "[::]:0")
		_, port, err := net.SplitHostPort(server.Addr)
		if err != nil {
			t.Fatal(err)
		}
		udpNeedsCode(t, server, net.JoinHostPort(private.String(), port))
		loopback := server.DialUDP(t)
		loopback.Send("iam:here")
		loopback.Want("here has joined")
	})
}

func udpNeedsCode(t *testing.T, server *testkit.Server, addr string) {
	t.Helper()
	bystander := server.DialText(t)
	bystander.Send("iam:bystander\n")
	bystander.Want("bystander has joined")
	peer := *server
	peer.Addr = addr
	u := peer.DialUDP(t)
	u.Send("iam:zhangsan")
	code, err := u.Datagram()
	if err != nil || !strings.HasPrefix(code, "iam:zhangsan#") || len(code) > 3*len("iam:zhangsan") {
		t.Fatalf("got %q, %v", code, err)
	}
	bystander.Send("msg:" + strings.Repeat("x", 1000) + "\n")
	if _, err := bystander.Line(); err != nil {
		t.Fatal(err)
	}
	u.Send("msg:is anybody there?")
	u.Want("error: say who you are first: iam:NAME") // and not what the bystander said
	u.Send(code)
	u.Want("zhangsan has joined")
	bystander.Want("zhangsan has joined")
	u.Send("msg:吃了吗")
	u.Want("zhangsan: 吃了吗")
	bystander.Want("zhangsan: 吃了吗")
	bystander.Send("msg:还没有\n")
	u.Want("bystander: 还没有")
}

// privateAddress finds an address of this machine's in a local network.
func privateAddress(t *testing.T) (netip.Addr, bool) {
	t.Helper()
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil && p.Addr().IsPrivate() {
			return p.Addr(), true
		}
	}
	return netip.Addr{}, false
}
