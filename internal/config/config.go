// Package config is what an operator can set, from where it is read, and the limits that
// hold for peers. A wrong setting is an error that names the setting, where it came
// from, and what would be right.
package config

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/goccy/go-yaml"
)

// Config is every setting.
type Config struct {
	Listen         string
	Data           string
	Guests         string         // off, lobby or full
	UDP            bool           // the text protocol over UDP
	LAN            bool           // plain text to private addresses
	Proxies        []netip.Prefix // who stands before the server and states addresses
	Search         bool
	TLSCert        string   // a file
	TLSKey         string   // a file
	ACME           []string // hosts to get certificates for
	ACMEEmail      string
	ACMEDirectory  string     // the authority's URL
	ACMERoots      string     // a file: whom to trust as the authority; "" for whom the system trusts
	Sessions       string     // many, kick or refuse
	PlatformGroups [][]string // platforms that count as one for Sessions
	MaxConnections int
	Limits         Limits
	Hosts          []string
	Origins        []string
	Secret         string // LINNET_SECRET only; "" for the one in the folder
	TokenIssuer    string
	TokenAudience  string
	TokenJWKS      string        // a file or URL; "" for none
	MetricsToken   string        // opens /metrics to others than loopback; "" does not
	EditWindow     time.Duration // how long a sender may edit a message; 0: for ever
	RecallWindow   time.Duration // how long a sender may recall one; 0: for ever
	LogLevel       string
	LogFormat      string

	udp string // as it is set; "" for the usual
}

// TLS says whether the server has TLS of its own.
func (c *Config) TLS() bool { return c.TLSCert != "" || len(c.ACME) > 0 }

// DefaultFile is read when it is there and no other file is named.
const DefaultFile = "linnet.yaml"

// setting is one setting: its names and how its text becomes a value.
type setting struct {
	alone bool   // the flag may stand without a value, which means true
	name  string // the flag's; in the file with _ for -; in the environment LINNET_ and capitals
	usage string
	set   func(c *Config, text string) error
}

func (s setting) env() string { return "LINNET_" + strings.ToUpper(s.key()) }
func (s setting) key() string { return strings.ReplaceAll(s.name, "-", "_") }

// settings is the table of all settings but the secret.
func settings() []setting {
	return []setting{
		{false, "listen", "address and port to serve on (127.0.0.1:7788)", func(c *Config, t string) error {
			c.Listen = t
			_, err := listenAddr(t)
			return err
		}},
		{false, "data", "folder that everything is kept in (linnet-data)", func(c *Config, t string) error {
			c.Data = t
			if t == "" {
				return errors.New("name a folder")
			}
			return nil
		}},
		{false, "guests", "what users that name themselves may do: off, lobby (read and speak in the lobby) or full (full on loopback, else off)", func(c *Config, t string) error {
			c.Guests = t
			return oneOf(t, "off", "lobby", "full")
		}},
		{false, "udp", "the text protocol over UDP: on or off (on when the server listens on loopback only)", func(c *Config, t string) error {
			c.udp = t
			return oneOf(t, "on", "off", "true", "false")
		}},
		{false, "search", "search in messages, with an index in the data folder: on or off (on)", func(c *Config, t string) error {
			c.Search = t == "on" || t == "true"
			return oneOf(t, "on", "off", "true", "false")
		}},
		{true, "lan", "on: serve private addresses in plain text, on all interfaces unless listen says otherwise (off)", func(c *Config, t string) error {
			c.LAN = t == "on" || t == "true"
			return oneOf(t, "on", "off", "true", "false")
		}},
		{false, "behind-proxy", "addresses or networks of the proxies that stand before the server, with commas between; only they are served", func(c *Config, t string) error {
			c.Proxies = nil
			for _, one := range list(t) {
				p, err := prefix(one)
				if err != nil {
					return fmt.Errorf("%q: an address such as 10.0.0.5, or a network such as 10.0.0.0/24", one)
				}
				c.Proxies = append(c.Proxies, p)
			}
			return nil
		}},
		{false, "tls-cert", "file with the certificate and its chain, PEM; read again when it changes", func(c *Config, t string) error {
			c.TLSCert = t
			return nil
		}},
		{false, "tls-key", "file with the certificate's key, PEM", func(c *Config, t string) error {
			c.TLSKey = t
			return nil
		}},
		{false, "acme", "host names to get certificates for, with commas between; port 443 of each must lead here", func(c *Config, t string) error {
			c.ACME = list(t)
			for _, h := range c.ACME {
				if !strings.Contains(h, ".") || strings.ContainsAny(h, "/:@ *") {
					return fmt.Errorf("%q: a host name, for example chat.example.com", h)
				}
			}
			return nil
		}},
		{false, "acme-email", "where the certificate authority writes to (nowhere)", func(c *Config, t string) error {
			c.ACMEEmail = t
			return nil
		}},
		{false, "acme-directory", "the authority's directory (Let's Encrypt)", func(c *Config, t string) error {
			c.ACMEDirectory = t
			if !strings.HasPrefix(t, "https://") {
				return errors.New("a URL that begins with https://")
			}
			return nil
		}},
		{false, "acme-roots", "file with the certificates to trust the authority's own by, PEM (the system's)", func(c *Config, t string) error {
			c.ACMERoots = t
			return nil
		}},
		{false, "sessions", "devices of a platform that a user may be signed in on: many, kick (one: who signs in puts the one before out) or refuse (one: the first, while it is connected) (many)", func(c *Config, t string) error {
			c.Sessions = t
			return oneOf(t, "many", "kick", "refuse")
		}},
		{false, "platform-groups", "platforms that count as one for sessions, with + within a group and commas between groups, for example ios+android (each by itself)", func(c *Config, t string) error {
			c.PlatformGroups = nil
			for _, group := range list(t) {
				names := strings.Split(group, "+")
				if len(names) < 2 || slices.Contains(names, "") {
					return fmt.Errorf("%q: two platforms or more with + between, for example ios+android", group)
				}
				c.PlatformGroups = append(c.PlatformGroups, names)
			}
			return nil
		}},
		{false, "max-connections", "connections at a time; the open-file limit must allow them (10000)", func(c *Config, t string) (err error) {
			c.MaxConnections, err = strconv.Atoi(t)
			if err != nil || c.MaxConnections < 1 || c.MaxConnections > 10_000_000 {
				return errors.New("a number from 1 to 10000000")
			}
			return nil
		}},
		{false, "limits", "limits that are to be others than usual: NAME=VALUE with commas between, for example user-sends-per-second=50,group-members=200000; docs/sizing.md has them", func(c *Config, t string) error {
			for _, one := range list(t) {
				if err := c.Limits.set(one); err != nil {
					return err
				}
			}
			return nil
		}},
		{false, "hosts", "host names the server answers to besides localhost and addresses, with commas between", func(c *Config, t string) error {
			c.Hosts = list(t)
			for _, h := range c.Hosts {
				if strings.ContainsAny(h, "/@ ") {
					return fmt.Errorf("%q: a host is a name, with :PORT or without, for example chat.example.com", h)
				}
			}
			return nil
		}},
		{false, "origins", "origins whose web pages may talk to the server besides its own, with commas between (https://app.example.com)", func(c *Config, t string) error {
			c.Origins = list(t)
			for _, o := range c.Origins {
				if !strings.HasPrefix(o, "http://") && !strings.HasPrefix(o, "https://") || strings.HasSuffix(o, "/") {
					return fmt.Errorf("%q: an origin is https:// and a host, without a path", o)
				}
			}
			return nil
		}},
		{false, "token-issuer", "what iss must be in tokens (anything)", func(c *Config, t string) error {
			c.TokenIssuer = t
			return nil
		}},
		{false, "token-audience", "what aud must hold in tokens (anything)", func(c *Config, t string) error {
			c.TokenAudience = t
			return nil
		}},
		{false, "token-jwks", "file or https URL with the public keys (a JSON Web Key Set) that tokens may be signed with besides the secret (none)", func(c *Config, t string) error {
			c.TokenJWKS = t
			return nil
		}},
		{false, "metrics-token", "bearer token by which others than this machine may read /metrics, 16 characters or more (none)", func(c *Config, t string) error {
			c.MetricsToken = t
			if len(t) < 16 {
				return errors.New("at least 16 characters")
			}
			return nil
		}},
		{false, "edit-window", "how long a sender may edit a message, such as 48h; 0: for ever (24h)", func(c *Config, t string) (err error) {
			c.EditWindow, err = window(t)
			return err
		}},
		{false, "recall-window", "how long a sender may recall a message, such as 5m; 0: for ever (2m)", func(c *Config, t string) (err error) {
			c.RecallWindow, err = window(t)
			return err
		}},
		{false, "log-level", "debug, info, warn or error (info)", func(c *Config, t string) error {
			c.LogLevel = t
			return oneOf(t, "debug", "info", "warn", "error")
		}},
		{false, "log-format", "text or json (text)", func(c *Config, t string) error {
			c.LogFormat = t
			return oneOf(t, "text", "json")
		}},
	}
}

// window reads how long something may be done.
func window(text string) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 {
		return 0, errors.New("a time such as 90s, 2m or 48h, or 0 for ever")
	}
	return d, nil
}

func oneOf(text string, allowed ...string) error {
	for _, a := range allowed {
		if text == a {
			return nil
		}
	}
	return errors.New(strings.Join(allowed[:len(allowed)-1], ", ") + " or " + allowed[len(allowed)-1])
}

func list(text string) []string {
	var out []string
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// listenAddr says whether an address to listen on is loopback only.
func listenAddr(text string) (loopback bool, err error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return false, errors.New("an address and a port, for example 127.0.0.1:7788")
	}
	if n, err := strconv.Atoi(port); err != nil || n < 0 || n > 65535 {
		return false, fmt.Errorf("port %q: a number from 0 to 65535", port)
	}
	if host == "localhost" {
		return true, nil
	}
	addr, err := netip.ParseAddr(host)
	if host != "" && err != nil {
		return false, fmt.Errorf("host %q: an IP address of this machine, or localhost", host)
	}
	return host != "" && addr.IsLoopback(), nil
}

// prefix reads a network, or an address as the network of one.
func prefix(text string) (netip.Prefix, error) {
	if strings.Contains(text, "/") {
		p, err := netip.ParsePrefix(text)
		return p.Masked(), err
	}
	a, err := netip.ParseAddr(text)
	if err != nil {
		return netip.Prefix{}, err
	}
	return netip.PrefixFrom(a.Unmap(), a.Unmap().BitLen()), nil
}

// Load reads the settings: flags before the environment, before the file, before what
// is usual. It answers flag.ErrHelp when help was asked for and printed to out.
func Load(args []string, getenv func(string) string, out io.Writer) (Config, error) {
	c := Config{
		Data: "linnet-data", Search: true, MaxConnections: 10_000, Limits: DefaultLimits(), LogLevel: "info", LogFormat: "text",
		EditWindow: 24 * time.Hour, RecallWindow: 2 * time.Minute,
	}
	table := settings()
	flags := flag.NewFlagSet("linnet serve", flag.ContinueOnError)
	flags.SetOutput(io.Discard)
	file := flags.String("config", getenv("LINNET_CONFIG"), "file with settings ("+DefaultFile+" if it is there)")
	given := make(map[string]string)
	for _, s := range table {
		set := func(text string) error { given[s.name] = text; return nil }
		if s.alone {
			flags.BoolFunc(s.name, s.usage, set)
		} else {
			flags.Func(s.name, s.usage, set)
		}
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			usage(out, table)
		}
		return Config{}, fmt.Errorf("%w; linnet serve --help lists the settings", err)
	}
	if flags.NArg() > 0 {
		return Config{}, fmt.Errorf("%q: serve takes settings only; see linnet serve --help", flags.Arg(0))
	}
	inFile, err := readFile(*file, table)
	if err != nil {
		return Config{}, err
	}
	for _, s := range table {
		text, from := given[s.name], "--"+s.name
		if _, ok := given[s.name]; !ok {
			text, from = getenv(s.env()), s.env()
			if text == "" {
				var ok bool
				if text, ok = inFile[s.key()]; !ok {
					continue
				}
				from = s.key() + " in " + cmp.Or(*file, DefaultFile)
			}
		}
		if err := s.set(&c, text); err != nil {
			return Config{}, fmt.Errorf("%s: %q is not right: %w", from, text, err)
		}
	}
	c.Secret = getenv("LINNET_SECRET")
	return c, c.finish()
}

// finish sets what depends on other settings, and checks them together.
func (c *Config) finish() error {
	if c.Listen == "" {
		c.Listen = "127.0.0.1:7788"
		if c.LAN {
			c.Listen = "0.0.0.0:7788"
		}
	}
	loopback, err := listenAddr(c.Listen)
	if err != nil {
		return err
	}
	if (c.TLSCert == "") != (c.TLSKey == "") {
		return errors.New("tls-cert and tls-key: both or neither")
	}
	if c.TLSCert != "" && len(c.ACME) > 0 {
		return errors.New("acme and tls-cert: one of them")
	}
	ways := 0
	for _, on := range []bool{c.TLS(), c.LAN, len(c.Proxies) > 0} {
		if on {
			ways++
		}
	}
	switch {
	case ways > 1:
		return errors.New("TLS (tls-cert or acme), lan and behind-proxy: one of the three")
	case ways == 0 && !loopback:
		return fmt.Errorf("listen: %q is not loopback, and plain text is not for everybody to read: "+
			"give --tls-cert and --tls-key, or --acme HOST; --lan on serves a local network; --behind-proxy ADDRESS serves a proxy that has TLS", c.Listen)
	}
	// Behind a proxy nobody is on loopback, wherever the proxy is.
	own := loopback && len(c.Proxies) == 0
	c.UDP = c.udp == "on" || c.udp == "true" || c.udp == "" && own
	switch {
	case c.Guests == "" && own:
		c.Guests = "full"
	case c.Guests == "" && c.LAN:
		c.Guests = "lobby"
	case c.Guests == "":
		c.Guests = "off"
	case c.Guests == "full" && !own:
		return errors.New("guests: full is for loopback only, since anybody can claim a guest's name; lobby lets them read and speak in open rooms")
	}
	if c.Secret != "" && len(c.Secret) < 32 {
		return errors.New("LINNET_SECRET: at least 32 characters")
	}
	return nil
}

// readFile reads the settings file: keys and scalars or lists of them.
func readFile(name string, table []setting) (map[string]string, error) {
	optional := name == ""
	if optional {
		name = DefaultFile
	}
	b, err := os.ReadFile(name)
	if optional && errors.Is(err, os.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("the settings file: %w", err)
	}
	var raw map[string]any
	if err := yaml.Unmarshal(b, &raw); err != nil {
		return nil, fmt.Errorf("the settings file %s: %w", name, err)
	}
	known := make(map[string]bool, len(table))
	for _, s := range table {
		known[s.key()] = true
	}
	values := make(map[string]string, len(raw))
	for key, v := range raw {
		if !known[key] {
			return nil, fmt.Errorf("the settings file %s: there is no setting %q; linnet serve --help lists them", name, key)
		}
		switch v := v.(type) {
		case []any:
			parts := make([]string, len(v))
			for i, p := range v {
				text, ok := p.(string)
				if !ok {
					return nil, fmt.Errorf("the settings file %s: %s: %v is no text; put it in quotes", name, key, p)
				}
				parts[i] = text
			}
			values[key] = strings.Join(parts, ",")
		case map[string]any, nil:
			return nil, fmt.Errorf("the settings file %s: %s: one value, or a list", name, key)
		default:
			values[key] = fmt.Sprint(v)
		}
	}
	return values, nil
}

func usage(out io.Writer, table []setting) {
	fmt.Fprintf(out, "linnet serve runs the server. Settings, with what is usual in brackets:\n\n")
	fmt.Fprintf(out, "  --%-16s %s\n", "config", "file with settings ("+DefaultFile+" if it is there)")
	for _, s := range table {
		fmt.Fprintf(out, "  --%-16s %s\n", s.name, s.usage)
	}
	fmt.Fprint(out, "\nEach is also read from the environment, as LINNET_ and the name in capitals with _ for -,\n"+
		"and from the file, with _ for -. A flag goes before the environment, that before the file.\n"+
		"LINNET_SECRET, 32 characters or more, stands for the secret file in the data folder.\n")
}
