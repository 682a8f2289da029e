package app

import (
	"crypto/tls"
	"fmt"
	"os"
	"sync"
	"time"

	"golang.org/x/crypto/acme"

	"github.com/linnet-im/linnet/internal/config"
)

// reloadEvery is how often the certificate's files are looked at, when they are used.
const reloadEvery = 10 * time.Second

// tlsConfig makes the server's TLS from the settings; nil when there is none.
func tlsConfig(cfg *config.Config, certificates *authority) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{"h2", "http/1.1"}}
	switch {
	case cfg.TLSCert != "":
		files := &certificateFiles{cert: cfg.TLSCert, key: cfg.TLSKey}
		if _, err := files.get(nil); err != nil {
			return nil, fmt.Errorf("tls-cert and tls-key: %w", err)
		}
		c.GetCertificate = files.get
	case len(cfg.ACME) > 0:
		c.GetCertificate = certificates.get
		c.NextProtos = append(c.NextProtos, acme.ALPNProto) // for the authority's probe
	default:
		return nil, nil
	}
	return c, nil
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
