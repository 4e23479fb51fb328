package daemon

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// certPoll is how often the files of the certificate are looked at.
const certPoll = 2 * time.Second

// pair is a certificate with its key, and what it was read from.
type pair struct {
	cert     *tls.Certificate
	crt, key []byte // the files' content
}

// readPair reads a certificate and its key. The error names the files, never their content.
func readPair(certFile, keyFile string) (*pair, error) {
	crt, err := os.ReadFile(certFile)
	if err != nil {
		return nil, fmt.Errorf("cannot read the certificate: %w", err)
	}
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return nil, fmt.Errorf("cannot read the key: %w", err)
	}
	cert, err := tls.X509KeyPair(crt, key)
	if err != nil {
		return nil, fmt.Errorf("%s and %s are no certificate with its key: %w", certFile, keyFile, err)
	}
	return &pair{cert: &cert, crt: crt, key: key}, nil
}

// checkTLS says what is wrong with the settings of TLS.
func (c Config) checkTLS() error {
	switch {
	case c.TLSCert == "" && c.TLSKey == "":
		return nil
	case c.TLSCert == "":
		return settingNamed("TLSCert").wrong("empty", "it goes together with TLSKey")
	case c.TLSKey == "":
		return settingNamed("TLSKey").wrong("empty", "it goes together with TLSCert")
	}
	if _, err := readPair(c.TLSCert, c.TLSKey); err != nil {
		return settingNamed("TLSCert").wrong(c.TLSCert, err.Error())
	}
	return nil
}

// certificates hands out the certificate of two files and takes a new one when
// they change. A new one that is not good leaves the old one in force.
type certificates struct {
	certFile, keyFile string
	logger            *slog.Logger
	now               func() time.Time

	current atomic.Pointer[pair]
	fault   atomic.Pointer[string] // why the files cannot be taken; nil: they are
}

func openCertificates(certFile, keyFile string, logger *slog.Logger) (*certificates, error) {
	p, err := readPair(certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("tls: %w", err)
	}
	c := &certificates{certFile: certFile, keyFile: keyFile, logger: logger, now: time.Now}
	c.current.Store(p)
	return c, nil
}

// config is what a server needs; nil when there is no certificate.
func (c *certificates) config() *tls.Config {
	if c == nil {
		return nil
	}
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return c.current.Load().cert, nil
		},
	}
}

// Run looks at the files until ctx ends; then it returns nil.
func (c *certificates) Run(ctx context.Context) error {
	clock.Every(ctx, certPoll, c.reload)
	return nil
}

// reload compares the content of the files, not their times: a copy may keep those. While one
// file is replaced and the other not yet, the pair is not good; the next look finds it whole.
func (c *certificates) reload() {
	p, err := readPair(c.certFile, c.keyFile)
	if err != nil {
		text := err.Error()
		if old := c.fault.Swap(&text); old == nil || *old != text {
			c.logger.Warn("the new certificate cannot be taken: the old one stays in force", "error", err)
		}
		return
	}
	old := c.current.Load()
	wasFaulty := c.fault.Swap(nil) != nil
	if bytes.Equal(p.crt, old.crt) && bytes.Equal(p.key, old.key) {
		if wasFaulty {
			c.logger.Info("the files of the certificate are good again")
		}
		return
	}
	c.current.Store(p)
	c.logger.Info("a new certificate was taken", "until", p.cert.Leaf.NotAfter)
}

// health is the line of /readyz. It never blocks: who holds a connection can go on.
func (c *certificates) health() store.Health {
	until := c.current.Load().cert.Leaf.NotAfter
	h := store.Health{Part: "tls", OK: true, Detail: "certificate until " + until.UTC().Format(time.RFC3339)}
	if c.now().After(until) {
		h.OK, h.Detail = false, "the certificate ended at "+until.UTC().Format(time.RFC3339)
	}
	if fault := c.fault.Load(); fault != nil {
		h.OK = false
		h.Detail += "; the files hold another that cannot be taken: " + *fault
	}
	return h
}

// ownClient is for the node's own client, which trusts the certificate that the
// node serves, whoever signed it and for whatever name, and no other.
func (c *certificates) ownClient() *tls.Config {
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // VerifyConnection is stricter
		VerifyConnection: func(state tls.ConnectionState) error {
			if len(state.PeerCertificates) == 0 || !bytes.Equal(state.PeerCertificates[0].Raw, c.current.Load().cert.Leaf.Raw) {
				return errors.New("this is not the node's own certificate")
			}
			return nil
		},
	}
}
