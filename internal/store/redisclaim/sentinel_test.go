package redisclaim

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/redistest"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// Sentinel: the master dies, the replica takes over, and the nodes follow.
func TestSentinel(t *testing.T) {
	t.Parallel()
	s := redistest.StartSentinels(t)
	opts := Options{URL: s.URL(), Probe: 100 * time.Millisecond, Timeout: 2 * time.Second}
	a, b := open(t, opts), open(t, opts)
	redistest.Eventually(t, 20*time.Second, func() bool { return a.Health() == nil && b.Health() == nil })
	ids := numbered(100, "id")
	if n, _ := claimed(t, a, "p", "one", ids); n != len(ids) {
		t.Fatalf("%d claimed", n)
	}
	s.Master.Kill()
	redistest.Eventually(t, 10*time.Second, func() bool { return a.Health() != nil && b.Health() != nil })
	if err := a.Commit(t.Context(), "p", ids, "one", time.Minute); err == nil {
		t.Error("committed without a master")
	}
	redistest.Eventually(t, 60*time.Second, func() bool { return a.Health() == nil && b.Health() == nil })
	for i, st := range mustClaim(t, b, "p", "two", ids) {
		if st != store.ClaimedBefore {
			t.Fatalf("%s: state %d after the failover", ids[i], st)
		}
	}
	if n := s.Replica.Do("DBSIZE"); n == "0" {
		t.Error("the replica has nothing: it is not what the nodes use")
	}
}

// TLS: a certificate that nobody vouches for is refused, unless that is asked for.
func TestTLS(t *testing.T) {
	t.Parallel()
	certFile, keyFile := certificate(t)
	plain := redistest.Start(t)
	port := freeTLSPort(t)
	plain.Do("CONFIG", "SET", "tls-cert-file", certFile, "tls-key-file", keyFile, "tls-ca-cert-file", certFile,
		"tls-auth-clients", "no", "tls-port", port)
	refused := open(t, Options{URL: "rediss://localhost:" + port})
	if err := refused.Health(); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("health: %v", err)
	}
	taken := open(t, Options{URL: "rediss://localhost:" + port + "?skip_verify=true"})
	if n, _ := claimed(t, taken, "p", "one", []string{"id"}); n != 1 {
		t.Error("not claimed over TLS")
	}
}

func freeTLSPort(t *testing.T) string {
	t.Helper()
	s := redistest.Start(t) // a port that was free a moment ago
	s.Kill()
	_, port, _ := strings.Cut(s.Addr, ":")
	return port
}

func certificate(t *testing.T) (certFile, keyFile string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), DNSNames: []string{"localhost"}, NotAfter: time.Now().Add(time.Hour)}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, kind string, der []byte) string {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	return write("cert.pem", "CERTIFICATE", cert), write("key.pem", "PRIVATE KEY", private)
}
