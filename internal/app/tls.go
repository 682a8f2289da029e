package app

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/linnet-im/linnet/internal/config"
)

// reloadEvery is how often the certificate's files are looked at, when they are used.
const reloadEvery = 10 * time.Second

// tlsConfig makes the server's TLS from the settings; nil when there is none.
func tlsConfig(cfg *config.Config) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	switch {
	case cfg.TLSCert != "":
		files := &certificateFiles{cert: cfg.TLSCert, key: cfg.TLSKey}
		if _, err := files.get(nil); err != nil {
			return nil, fmt.Errorf("tls-cert and tls-key: %w", err)
		}
		c.GetCertificate = files.get
	case len(cfg.ACME) > 0:
		m, err := acmeManager(cfg)
		if err != nil {
			return nil, err
		}
		c.GetCertificate = m.GetCertificate
		c.NextProtos = append(c.NextProtos, acme.ALPNProto) // for the authority's probe
	default:
		return nil, nil
	}
	return c, nil
}

// acmeManager gets certificates for the hosts of the settings, the first time that
// somebody asks for one, and renews them. It proves itself by TLS-ALPN-01 (RFC 8737) on
// this very port, which the authority looks for at 443.
func acmeManager(cfg *config.Config) (*autocert.Manager, error) {
	client := &acme.Client{DirectoryURL: cfg.ACMEDirectory}
	if cfg.ACMERoots != "" {
		pem, err := os.ReadFile(cfg.ACMERoots)
		if err != nil {
			return nil, fmt.Errorf("acme-roots: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("acme-roots: there is no certificate in %s", cfg.ACMERoots)
		}
		client.HTTPClient = &http.Client{
			Timeout:   time.Minute,
			Transport: &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots}},
		}
	}
	return &autocert.Manager{
		Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(filepath.Join(cfg.Data, "acme")),
		HostPolicy: autocert.HostWhitelist(cfg.ACME...), Email: cfg.ACMEEmail, Client: client,
	}, nil
}

// certificateFiles is a certificate and its key in files, which may be replaced while
// the server runs.
type certificateFiles struct {
	cert, key string

	mu      sync.Mutex
	looked  time.Time
	changed [2]time.Time
	loaded  *tls.Certificate
}

// get is for tls.Config.GetCertificate. New files that cannot be used leave the old ones.
func (f *certificateFiles) get(*tls.ClientHelloInfo) (*tls.Certificate, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.loaded != nil && time.Since(f.looked) < reloadEvery {
		return f.loaded, nil
	}
	f.looked = time.Now()
	changed, err := times(f.cert, f.key)
	if err == nil && (f.loaded == nil || changed != f.changed) {
		var pair tls.Certificate
		if pair, err = tls.LoadX509KeyPair(f.cert, f.key); err == nil {
			f.loaded, f.changed = &pair, changed
		}
	}
	if f.loaded == nil {
		return nil, err
	}
	return f.loaded, nil
}

// times answers when two files were changed.
func times(a, b string) (t [2]time.Time, err error) {
	for i, name := range []string{a, b} {
		info, err := os.Stat(name)
		if err != nil {
			return t, err
		}
		t[i] = info.ModTime()
	}
	return t, nil
}
