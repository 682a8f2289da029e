package config

import (
	"bytes"
	"errors"
	"flag"
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

// load reads settings in a folder of its own, so that no linnet.yaml lies about.
func load(t *testing.T, args []string, env map[string]string, file string) (Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if file != "" {
		if err := os.WriteFile(DefaultFile, []byte(file), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return Load(args, func(name string) string { return env[name] }, new(bytes.Buffer))
}

func usual() Config {
	return Config{
		Listen: "127.0.0.1:7788", Data: "linnet-data", Guests: "full", UDP: true, Search: true,
		MaxConnections: 10_000, LogLevel: "info", LogFormat: "text",
		Limits: DefaultLimits(), EditWindow: 24 * time.Hour, RecallWindow: 2 * time.Minute,
	}
}

// Mutants: the environment before the flags; the file before the environment; an empty
// variable taken for a setting.
func TestLoad(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		env  map[string]string
		file string
		want func(c *Config)
	}{
		{name: "nothing", want: func(*Config) {}},
		{
			name: "a flag", args: []string{"--listen", "127.0.0.1:0", "--udp=off"},
			want: func(c *Config) { c.Listen, c.UDP = "127.0.0.1:0", false },
		},
		{
			name: "the environment", env: map[string]string{"LINNET_MAX_CONNECTIONS": "12", "LINNET_LOG_LEVEL": "debug"},
			want: func(c *Config) { c.MaxConnections, c.LogLevel = 12, "debug" },
		},
		{name: "search off", args: []string{"--search", "off"}, want: func(c *Config) { c.Search = false }},
		{name: "an empty variable is none", env: map[string]string{"LINNET_DATA": ""}, want: func(*Config) {}},
		{
			name: "the file", file: "listen: '[::1]:7788'\nmax_connections: 12\nudp: false\norigins:\n  - https://a.example\n  - http://b.example:81\n",
			want: func(c *Config) {
				c.Listen, c.MaxConnections, c.UDP = "[::1]:7788", 12, false
				c.Origins = []string{"https://a.example", "http://b.example:81"}
			},
		},
		{name: "a file of comments", file: "# nothing yet\n", want: func(*Config) {}},
		{
			name: "a flag before the environment before the file",
			args: []string{"--data", "flag"},
			env:  map[string]string{"LINNET_DATA": "env", "LINNET_GUESTS": "off"},
			file: "data: file\nguests: lobby\nlog_format: json\n",
			want: func(c *Config) { c.Data, c.Guests, c.LogFormat = "flag", "off", "json" },
		},
		{
			name: "windows", args: []string{"--edit-window", "0", "--recall-window", "90s"},
			want: func(c *Config) { c.EditWindow, c.RecallWindow = 0, 90*time.Second },
		},
		{
			name: "lists", args: []string{"--hosts", "chat.example, linnet.local,"},
			want: func(c *Config) { c.Hosts = []string{"chat.example", "linnet.local"} },
		},
		{
			name: "tokens", args: []string{"--token-issuer", "app", "--token-audience", "chat"},
			want: func(c *Config) { c.TokenIssuer, c.TokenAudience = "app", "chat" },
		},
		{
			name: "a local network", args: []string{"--lan"},
			want: func(c *Config) { c.LAN, c.Listen, c.UDP, c.Guests = true, "0.0.0.0:7788", false, "lobby" },
		},
		{
			name: "a proxy", args: []string{"--behind-proxy", "10.0.0.5, fd00::/8", "--listen", "127.0.0.1:1"},
			want: func(c *Config) {
				c.Listen, c.UDP, c.Guests = "127.0.0.1:1", false, "off"
				c.Proxies = []netip.Prefix{netip.MustParsePrefix("10.0.0.5/32"), netip.MustParsePrefix("fd00::/8")}
			},
		},
		{
			name: "TLS for everybody", args: []string{"--listen", ":443", "--tls-cert", "c", "--tls-key", "k", "--udp", "on", "--guests", "lobby"},
			want: func(c *Config) { c.Listen, c.TLSCert, c.TLSKey, c.Guests = ":443", "c", "k", "lobby" },
		},
		{
			name: "TLS on loopback", args: []string{"--acme", "a.example,b.example", "--acme-email", "me@a.example", "--acme-directory", "https://ca.example/dir"},
			want: func(c *Config) {
				c.ACME, c.ACMEEmail, c.ACMEDirectory = []string{"a.example", "b.example"}, "me@a.example", "https://ca.example/dir"
			},
		},
		{
			name: "the secret", env: map[string]string{"LINNET_SECRET": strings.Repeat("s", 32)},
			want: func(c *Config) { c.Secret = strings.Repeat("s", 32) },
		},
		{name: "localhost", args: []string{"--listen", "localhost:1"}, want: func(c *Config) { c.Listen = "localhost:1" }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := load(t, tt.args, tt.env, tt.file)
			if err != nil {
				t.Fatal(err)
			}
			want := usual()
			tt.want(&want)
			if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(Config{}), cmpopts.EquateComparable(netip.Prefix{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// A refusal names the setting, says where it came from, and what would be right.
func TestLoadRefuses(t *testing.T) {
	for _, tt := range []struct {
		name string
		args []string
		env  map[string]string
		file string
		want []string
	}{
		{name: "a flag", args: []string{"--guests", "some"}, want: []string{"--guests", `"some"`, "off, lobby or full"}},
		{name: "an empty flag", args: []string{"--data="}, want: []string{"--data", "name a folder"}},
		{name: "a variable", env: map[string]string{"LINNET_MAX_CONNECTIONS": "many"}, want: []string{"LINNET_MAX_CONNECTIONS", `"many"`, "a number from 1"}},
		{name: "a line in the file", file: "udp: maybe\n", want: []string{"udp in linnet.yaml", `"maybe"`, "on, off"}},
		{name: "an unknown flag", args: []string{"--lisen", "x"}, want: []string{"-lisen", "--help"}},
		{name: "an unknown line", file: "lisen: x\n", want: []string{"linnet.yaml", `"lisen"`, "--help"}},
		{name: "the secret as a flag", args: []string{"--secret", "x"}, want: []string{"-secret"}},
		{name: "the secret in the file", file: "secret: x\n", want: []string{`"secret"`}},
		{name: "a short secret", env: map[string]string{"LINNET_SECRET": "short"}, want: []string{"LINNET_SECRET", "32"}},
		{name: "a word", args: []string{"now"}, want: []string{`"now"`, "--help"}},
		{name: "no port", args: []string{"--listen", "127.0.0.1"}, want: []string{"--listen", "127.0.0.1:7788"}},
		{name: "a wrong port", args: []string{"--listen", "127.0.0.1:70000"}, want: []string{"--listen", "65535"}},
		{name: "a name", args: []string{"--listen", "chat.example:1"}, want: []string{"--listen", "IP address"}},
		{name: "everywhere", args: []string{"--listen", ":7788"}, want: []string{"listen", "loopback", "TLS"}},
		{name: "elsewhere", env: map[string]string{"LINNET_LISTEN": "192.0.2.1:7788"}, want: []string{"listen", "loopback", "TLS"}},
		{name: "a certificate without its key", args: []string{"--tls-cert", "c"}, want: []string{"tls-cert", "tls-key", "both"}},
		{name: "two certificates", args: []string{"--tls-cert", "c", "--tls-key", "k", "--acme", "a.example"}, want: []string{"acme", "tls-cert", "one of them"}},
		{name: "two ways", args: []string{"--lan", "--behind-proxy", "10.0.0.5"}, want: []string{"lan", "behind-proxy", "one of the three"}},
		{name: "full guests for everybody", args: []string{"--lan", "--guests", "full"}, want: []string{"guests", "loopback", "lobby"}},
		{name: "full guests behind a proxy on loopback", args: []string{"--behind-proxy", "127.0.0.1", "--guests", "full"}, want: []string{"guests", "loopback"}},
		{name: "a proxy's name", args: []string{"--behind-proxy", "proxy.example"}, want: []string{"--behind-proxy", "10.0.0.5"}},
		{name: "a host with a port", args: []string{"--acme", "a.example:443"}, want: []string{"--acme", "chat.example.com"}},
		{name: "a plain directory", args: []string{"--acme-directory", "http://ca.example"}, want: []string{"--acme-directory", "https://"}},
		{name: "an origin with a path", args: []string{"--origins", "https://a.example/"}, want: []string{"--origins", "without a path"}},
		{name: "an origin without a scheme", args: []string{"--origins", "a.example"}, want: []string{"--origins", "https://"}},
		{name: "connections", args: []string{"--max-connections", "0"}, want: []string{"--max-connections", "from 1"}},
		{name: "a level", args: []string{"--log-level", "all"}, want: []string{"--log-level", "debug, info, warn or error"}},
		{name: "a format", args: []string{"--log-format", "xml"}, want: []string{"--log-format", "text or json"}},
		{name: "no YAML", file: "listen: [\n", want: []string{"linnet.yaml"}},
		{name: "a list", file: "- a\n", want: []string{"linnet.yaml"}},
		{name: "an object", file: "data: {a: b}\n", want: []string{"linnet.yaml", "data", "one value"}},
		{name: "an object in a list", file: "hosts: [{a: b}]\n", want: []string{"linnet.yaml", "hosts"}},
		{name: "nothing after a key", file: "data:\n", want: []string{"linnet.yaml", "data", "one value"}},
		{name: "a key twice", file: "data: a\ndata: b\n", want: []string{"linnet.yaml", "data"}},
		{name: "a file that is not there", args: []string{"--config", "other.yaml"}, want: []string{"other.yaml"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := load(t, tt.args, tt.env, tt.file)
			if err == nil {
				t.Fatalf("taken: %+v", c)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("%q does not say %q", err, want)
				}
			}
			if s := tt.env["LINNET_SECRET"]; s != "" && strings.Contains(err.Error(), s) {
				t.Errorf("%q tells the secret", err)
			}
		})
	}
}

func TestLoadNamedFile(t *testing.T) {
	name := filepath.Join(t.TempDir(), "other.yaml")
	if err := os.WriteFile(name, []byte("data: elsewhere\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for how, c := range map[string]struct {
		args []string
		env  map[string]string
	}{
		"flag":        {args: []string{"--config", name}},
		"environment": {env: map[string]string{"LINNET_CONFIG": name}},
	} {
		t.Run(how, func(t *testing.T) {
			got, err := load(t, c.args, c.env, "data: here\n")
			if err != nil || got.Data != "elsewhere" {
				t.Errorf("got %q, %v", got.Data, err)
			}
		})
	}
}

func TestHelpListsEverySetting(t *testing.T) {
	var out bytes.Buffer
	_, err := Load([]string{"--help"}, func(string) string { return "" }, &out)
	if !errors.Is(err, flag.ErrHelp) {
		t.Fatalf("got %v", err)
	}
	for _, s := range settings() {
		if !strings.Contains(out.String(), "--"+s.name+" ") || !strings.Contains(out.String(), s.usage) {
			t.Errorf("nothing on %s", s.name)
		}
	}
	for _, also := range []string{"--config", "LINNET_SECRET"} {
		if !strings.Contains(out.String(), also) {
			t.Errorf("nothing on %s", also)
		}
	}
}

// Every setting is on the operator's page, and no other is.
func TestOperatorsPage(t *testing.T) {
	page, err := os.ReadFile("../../docs/operate.md")
	if err != nil {
		t.Fatal(err)
	}
	_, settingsTable, found := strings.Cut(string(page), "| flag | environment |")
	settingsTable, _, ended := strings.Cut(settingsTable, "\n\n")
	if !found || !ended {
		t.Fatal("the page has no table of settings")
	}
	known := []string{"config"} // where the settings are is none itself
	for _, s := range settings() {
		known = append(known, s.name)
		if !strings.Contains(settingsTable, "`--"+s.name+"`") {
			t.Errorf("nothing on --%s", s.name)
		}
	}
	for _, m := range regexp.MustCompile("`--([^`]+)`").FindAllStringSubmatch(settingsTable, -1) {
		if !slices.Contains(known, m[1]) {
			t.Errorf("the page has --%s, which there is not", m[1])
		}
	}
}
