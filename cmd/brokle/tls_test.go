package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/watch"
)

// selfSigned writes a certificate for this machine and its key.
func selfSigned(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	cert, key = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	for path, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: der}, key: {Type: "PRIVATE KEY", Bytes: keyDER}} {
		if err := os.WriteFile(path, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// The commands reach a server whose certificate they are told to trust, and no other.
func TestClientsOverTLS(t *testing.T) {
	t.Parallel()
	cert, key := selfSigned(t)
	vars, _ := serve(t, t.TempDir(), "--tls-cert", cert, "--tls-key", key)
	command(t, "", vars, "query", "traces").want(t, 1, "certificate that is not trusted", "--ca-cert")
	command(t, "", vars, "open", "--print").want(t, 1, "certificate that is not trusted", "--ca-cert")
	trusting := append(vars, "BROKLE_CA_CERT="+cert)
	command(t, `{"id":"t1","name":"n"}`+"\n", trusting, "send", "--type", "trace_create", "-").want(t, 0)
	command(t, "", trusting, "open", "--print").want(t, 0, "https://127.0.0.1:", "/#token=")
	command(t, "", trusting, "backup", "--to", filepath.Join(t.TempDir(), "b")).want(t, 0, "files")
	watch.Until(t, "the trace is queryable", func() bool {
		return strings.Contains(command(t, "", vars, "query", "traces", "--json", "--ca-cert", cert).want(t, 0).out, `"t1"`)
	})
	command(t, "", append(vars, "BROKLE_CA_CERT="+key), "query", "traces").want(t, 1, "holds no certificate", "--ca-cert")
	command(t, "", append(vars, "BROKLE_CA_CERT="+cert+".no"), "open", "--print").want(t, 1, "no such file", "--ca-cert")
	command(t, "", nil, "serve", "--tls-cert", cert).want(t, 1, "TLSKey", "BROKLE_TLS_KEY")
	command(t, "", nil, "check", "--data", t.TempDir(), "--tls-cert", key, "--tls-key", cert).want(t, 1, "no certificate with its key")
}

// A redirect does not take the key with it.
func TestKeysFollowNoRedirect(t *testing.T) {
	t.Parallel()
	var came atomic.Int64
	thief := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { came.Add(1) }))
	defer thief.Close()
	lure := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, thief.URL+r.URL.Path, http.StatusTemporaryRedirect)
	}))
	defer lure.Close()
	vars := []string{"BROKLE_HOST=" + lure.URL, "BROKLE_API_KEY=bk_secret_0123456789"}
	command(t, "", vars, "open", "--print").want(t, 1, "307")
	command(t, "", vars, "query", "traces").want(t, 1, "307")
	command(t, "", vars, "backup", "--to", filepath.Join(t.TempDir(), "b")).want(t, 1, "307")
	if n := came.Load(); n != 0 {
		t.Errorf("%d requests followed a redirect, with the key", n)
	}
}
