package app

import (
	"fmt"
	"io"
	"net"
	"strings"
)

// greet says where to go.
func (s *server) greet(out io.Writer, addr net.Addr) {
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return // the address of a listener always splits
	}
	fmt.Fprintf(out, "Linnet serves on %s. Its data is in %s.\n", addr, s.cfg.Data)
	switch {
	case len(s.cfg.Proxies) > 0:
		fmt.Fprintf(out, "It serves the proxies it was told of, and nobody else.\n\n")
		return
	case s.cfg.LAN:
		fmt.Fprintf(out, "\n  LOCAL NETWORK: everything goes in plain text, which everybody in this network can read.\n"+
			"  Guests name themselves, and anybody can take a name. Only private addresses are served.\n")
	}
	fmt.Fprintln(out)
	hosts := []string{host}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		hosts = append(localAddresses(), "127.0.0.1")
	}
	if len(s.cfg.ACME) > 0 {
		hosts = s.cfg.ACME
	}
	for _, h := range hosts {
		s.greetAt(out, h, port)
	}
	fmt.Fprintf(out, "  for an app     linnet token alice --data %s\n\n", s.cfg.Data)
}

// greetAt says how one address is spoken to.
func (s *server) greetAt(out io.Writer, host, port string) {
	at := net.JoinHostPort(host, port)
	if s.tls != nil {
		fmt.Fprintf(out, "  in a browser   https://%s/\n", strings.TrimSuffix(at, ":443"))
		fmt.Fprintf(out, "  in a terminal  openssl s_client -quiet -connect %s      then type  iam:YOURNAME  and  msg:hello\n", at)
		return
	}
	fmt.Fprintf(out, "  in a browser   http://%s/\n", at)
	fmt.Fprintf(out, "  in a terminal  nc %s %s      then type  iam:YOURNAME  and  msg:hello\n", host, port)
	if s.cfg.UDP {
		fmt.Fprintf(out, "  over UDP       nc -u %s %s\n", host, port)
	}
}

// localAddresses answers this machine's addresses in local networks.
func localAddresses() []string {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil // then only loopback is shown
	}
	var list []string
	for _, a := range addrs {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			list = append(list, n.IP.String())
		}
	}
	return list
}
