package app

import (
	"cmp"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"golang.org/x/crypto/acme"
	"golang.org/x/crypto/acme/autocert"

	"github.com/linnet-im/linnet/internal/config"
)

// sayAgain is how long a failure that stays is not said again. The manager asks its
// authority again after as long.
const sayAgain = time.Minute

// authority gets certificates for the hosts of the settings from a certificate
// authority, and renews them. It proves itself by TLS-ALPN-01 (RFC 8737) on this very
// port, which the authority looks for at 443.
type authority struct {
	manager *autocert.Manager
	hosts   []string
	url     string
	log     *slog.Logger

	mu    sync.Mutex
	told  map[string]time.Time // until when the certificate is that the log tells of, by host
	wrong time.Time            // when the log last told of a failure
}

func newAuthority(cfg *config.Config, log *slog.Logger) (*authority, error) {
	client := &acme.Client{DirectoryURL: cfg.ACMEDirectory, HTTPClient: &http.Client{Timeout: time.Minute}}
	if cfg.ACMERoots != "" {
		pem, err := os.ReadFile(cfg.ACMERoots)
		if err != nil {
			return nil, fmt.Errorf("acme-roots: %w", err)
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("acme-roots: there is no certificate in %s", cfg.ACMERoots)
		}
		client.HTTPClient.Transport = &http.Transport{Proxy: http.ProxyFromEnvironment, TLSClientConfig: &tls.Config{RootCAs: roots}}
	}
	return &authority{
		manager: &autocert.Manager{
			Prompt: autocert.AcceptTOS, Cache: autocert.DirCache(filepath.Join(cfg.Data, "acme")),
			HostPolicy: autocert.HostWhitelist(cfg.ACME...), Email: cfg.ACMEEmail, Client: client,
		},
		hosts: cfg.ACME, url: cmp.Or(cfg.ACMEDirectory, autocert.DefaultACMEDirectory), log: log, told: make(map[string]time.Time),
	}, nil
}

// get is for tls.Config.GetCertificate. It waits no longer than the handshake may take:
// what the authority does meanwhile goes on, for the next one who asks.
func (a *authority) get(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	type answer struct {
		cert *tls.Certificate
		err  error
	}
	got := make(chan answer, 1)
	go func() { // five minutes at most, by the manager's own limit, or until the process ends
		cert, err := a.fetch(hello)
		got <- answer{cert, err}
	}()
	select {
	case r := <-got:
		return r.cert, r.err
	case <-hello.Context().Done():
		return nil, hello.Context().Err()
	}
}

// first asks for the certificates of all hosts, so that no client waits for them, and
// what is wrong shows in the log when the server starts. It returns at once.
func (a *authority) first() {
	for _, host := range a.hosts {
		go func() {
			_, _ = a.fetch(&tls.ClientHelloInfo{ // the log has the error
				ServerName: host, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256},
			})
		}()
	}
}

// fetch answers a certificate, from memory, from the folder or from the authority, and
// tells the log of what is new.
func (a *authority) fetch(hello *tls.ClientHelloInfo) (*tls.Certificate, error) {
	cert, err := a.manager.GetCertificate(hello)
	if slices.Contains(hello.SupportedProtos, acme.ALPNProto) || !slices.Contains(a.hosts, hello.ServerName) {
		return cert, err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	switch {
	case err != nil && time.Since(a.wrong) >= sayAgain:
		a.wrong = time.Now()
		a.log.Error("there is no certificate for a host", slog.String("host", hello.ServerName),
			slog.String("authority", a.url), slog.Any("error", err))
	case err == nil && cert.Leaf != nil && !cert.Leaf.NotAfter.Equal(a.told[hello.ServerName]):
		a.told[hello.ServerName] = cert.Leaf.NotAfter
		a.log.Info("a certificate is used", slog.String("host", hello.ServerName),
			slog.String("issuer", cert.Leaf.Issuer.String()), slog.Time("until", cert.Leaf.NotAfter))
	}
	return cert, err
}
