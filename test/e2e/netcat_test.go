package e2e

import (
	"fmt"
	"net"
	"strings"
	"testing"

	"github.com/linnet-im/linnet/internal/testkit"
)

// netcats are the programs with which people try a port, each with what makes it send
// the end of its input, and read on.
var netcats = []struct {
	name, program string
	args, udp     []string
	address       string // how it is told where to go: host and port
}{
	{"openbsd", "nc.openbsd", []string{"-N"}, []string{"-u"}, "%s %s"},
	{"traditional", "nc.traditional", []string{"-q", "5"}, []string{"-u"}, "%s %s"},
	{"ncat", "ncat", nil, []string{"-u"}, "%s %s"},
	{"socat", "socat", []string{"-t", "5", "-"}, []string{"-"}, "TCP:%s:%s"},
}

// typed starts one of netcats on the server.
func typed(t *testing.T, i int, server *testkit.Server, args []string, address string) *process {
	t.Helper()
	host, port, err := net.SplitHostPort(server.Addr)
	if err != nil {
		t.Fatal(err)
	}
	where := strings.Fields(fmt.Sprintf(address, host, port))
	return start(t, testkit.Need(t, netcats[i].program), append(append([]string(nil), args...), where...)...)
}

// A person at each netcat: names, Chinese, the longest line, one too long, the end of the
// input, the end of the server.
func TestNetcatText(t *testing.T) {
	for i, n := range netcats {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			testkit.Need(t, n.program)
			server := testkit.Start(t)
			zhangsan := typed(t, i, server, n.args, n.address)
			zhangsan.say("iam:张三\n")
			zhangsan.hears("张三 has joined")
			other := server.DialText(t)
			other.Send("iam:lisi\n")
			other.Want("lisi has joined")
			zhangsan.hears("lisi has joined")

			other.Send("msg:你吃了吗\n")
			zhangsan.hears("lisi: 你吃了吗")
			other.Want("lisi: 你吃了吗")
			const longest = 4096 - len("msg:")
			long := strings.Repeat("很", longest/3) + strings.Repeat("!", longest%3)
			zhangsan.say("msg:" + long + "\n")
			zhangsan.hears("张三: " + long)
			other.Want("张三: " + long)
			zhangsan.say("msg:" + long + "!\n")
			zhangsan.finds("error: a line has at most 4096 bytes")

			zhangsan.say("msg:再见") // no newline, and then the end of the input
			zhangsan.close()
			zhangsan.hears("张三: 再见")
			zhangsan.ends()
			other.Want("张三: 再见")

			waiting := typed(t, i, server, n.args, n.address)
			waiting.say("iam:waiting\n")
			waiting.hears("waiting has joined")
			server.Stop()
			waiting.hears("error: the server is restarting; come back in a moment")
			waiting.close() // most wait for the person too
			waiting.ends()
		})
	}
}

// The same programs as a client of JSON lines.
func TestNetcatLines(t *testing.T) {
	for i, n := range netcats {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			testkit.Need(t, n.program)
			server := testkit.Start(t)
			p := typed(t, i, server, n.args, n.address)
			p.say(fmt.Sprintf(`{"id":1,"method":"session.open","params":{"token":%q}}`+"\n", server.TokenFor(t, "alice")))
			p.finds(`"id":1,"result":{"user":{"id":"alice"`)
			p.say(`{"id":2,"method":"ping"}` + "\n")
			p.finds(`"id":2,"result":{}`)
			p.say(`{"id":3,"method":"messages.send","params":{"to":{"user":"bob"},"client_id":"00000000-0000-7000-8000-000000000001","content":{"type":"text","text":"在吗"}}}` + "\n")
			p.finds(`"id":3,"result":{"conversation":"d_`)
			p.finds(`"text":"在吗"`)

			bob := server.Dial(t)
			bob.SignIn(t, server.TokenFor(t, "bob"))
			sendLarge(t, bob, "alice", 1)
			p.finds(large)
			const head, tail = `{"id":4,"method":"ping"`, "}\n"
			p.say(head + strings.Repeat(" ", frameBytes-len(head)-1) + tail) // its LF does not count
			p.finds(`"id":4,"result":{}`)

			p.say(`{"id":5,"method":"session.close"}` + "\n")
			p.finds(`"id":5,"result":{}`)
			p.close()
			p.ends()
		})
	}
}

// And as one of datagrams.
func TestNetcatDatagrams(t *testing.T) {
	for i, n := range netcats {
		t.Run(n.name, func(t *testing.T) {
			t.Parallel()
			testkit.Need(t, n.program)
			server := testkit.Start(t)
			other := server.DialText(t)
			other.Send("iam:other\n")
			other.Want("other has joined")
			cam := typed(t, i, server, n.udp, strings.Replace(n.address, "TCP", "UDP", 1))
			cam.say("iam:相机\n")
			cam.hears("相机 has joined")
			other.Want("相机 has joined")
			cam.say("msg:光圈 8\n")
			cam.hears("相机: 光圈 8")
			other.Want("相机: 光圈 8")
			other.Send("msg:拍\n")
			cam.hears("other: 拍")
		})
	}
}
