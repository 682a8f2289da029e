package bench

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"time"
)

// server gives the server to measure: the one that was named, or a new one on an empty folder.
func (r *runner) server(ctx context.Context, link string) (*target, func() error, error) {
	t := &target{name: "linnet", link: link, grace: grace}
	secretFile, stop := r.o.SecretFile, func() error { return nil }
	if r.o.Server != "" {
		t.addr, t.pid = r.o.Server, r.o.PID
		host, _, err := net.SplitHostPort(t.addr)
		if err != nil {
			return nil, nil, fmt.Errorf("server: %w", err)
		}
		t.tls = &tls.Config{ServerName: host}
	} else {
		own, err := r.startServer(ctx, t)
		if err != nil {
			return nil, nil, err
		}
		secretFile, stop = filepath.Join(own.data, "secret"), own.stop
	}
	secret, err := readSecret(secretFile)
	if err != nil {
		return nil, nil, errors.Join(err, stop())
	}
	t.open = openSession(t, secret)
	return t, stop, nil
}

// ownServer is a server of this run.
type ownServer struct {
	program string
	args    []string
	data    string
	child   *child
}

// startServer starts a server on an empty folder and has t point at it.
func (r *runner) startServer(ctx context.Context, t *target) (s *ownServer, err error) {
	s = &ownServer{program: r.o.Program}
	if s.data, err = os.MkdirTemp(r.dir, "server-"); err != nil {
		return nil, err
	}
	connections := max(r.o.Connections, r.o.most(), r.o.Crowd, 2*r.o.Pairs, r.o.Members, r.o.Clients, r.o.Online, r.o.Listeners, r.o.searched()) + spareConnections
	s.args = []string{"--data", s.data, "--max-connections", strconv.Itoa(connections)}
	if t.link == LinkTLS {
		cert, key, err := certificate(s.data)
		if err != nil {
			return nil, fmt.Errorf("make a certificate: %w", err)
		}
		s.args = append(s.args, "--tls-cert", cert.file, "--tls-key", key)
		t.tls = &tls.Config{RootCAs: cert.pool, ServerName: "127.0.0.1"}
	}
	if err := s.start(ctx, t, "127.0.0.1:0"); err != nil {
		return nil, err
	}
	t.data = s.data
	t.restart = func(ctx context.Context, without ...string) error {
		s.child.kill()
		for _, name := range without {
			if err := os.Remove(filepath.Join(s.data, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
				return err
			}
		}
		return s.start(ctx, t, t.addr)
	}
	return s, nil
}

// spareConnections are what a server serves besides: metrics, and what it has not seen the end of.
const spareConnections = 300

func (s *ownServer) start(ctx context.Context, t *target, addr string) (err error) {
	s.child, err = startChild(ctx, s.program, append([]string{"serve", "--listen", addr}, s.args...)...)
	if err != nil {
		return err
	}
	t.addr, t.pid = s.child.addr, s.child.cmd.Process.Pid
	return nil
}

func (s *ownServer) stop() error { return errors.Join(s.child.stop(), os.RemoveAll(s.data)) }

// authority is a certificate that vouches for itself.
type authority struct {
	file string
	pool *x509.CertPool
}

// certificate writes a certificate for 127.0.0.1 and its key to dir.
func certificate(dir string) (cert authority, keyFile string, err error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return cert, "", err
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return cert, "", err
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return cert, "", err
	}
	cert.file, keyFile = filepath.Join(dir, "bench-cert.pem"), filepath.Join(dir, "bench-key.pem")
	public := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	cert.pool = x509.NewCertPool()
	cert.pool.AppendCertsFromPEM(public)
	return cert, keyFile, errors.Join(
		os.WriteFile(cert.file, public, 0o600),
		os.WriteFile(keyFile, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), 0o600))
}
