package daemon

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/watch"
)

// certFiles are the two files of a certificate that signs itself.
type certFiles struct{ cert, key string }

func newCertFiles(t *testing.T) certFiles {
	t.Helper()
	dir := t.TempDir()
	f := certFiles{cert: filepath.Join(dir, "tls.crt"), key: filepath.Join(dir, "tls.key")}
	f.renew(t, time.Now().Add(time.Hour))
	return f
}

// renew puts a new certificate with a new key into the files and returns it.
func (f certFiles) renew(t *testing.T, until time.Time) *x509.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	serial, err := rand.Int(rand.Reader, big.NewInt(1<<62))
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "brokle test"}, NotBefore: time.Now().Add(-2 * time.Hour), NotAfter: until,
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		DNSNames: []string{"localhost"}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	f.write(t, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return cert
}

func (f certFiles) write(t *testing.T, cert, key []byte) {
	t.Helper()
	if err := os.WriteFile(f.cert, cert, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(f.key, key, 0o600); err != nil {
		t.Fatal(err)
	}
}

// client trusts what the certificate file holds now.
func (f certFiles) client(t *testing.T) *http.Client {
	t.Helper()
	text, err := os.ReadFile(f.cert)
	if err != nil {
		t.Fatal(err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		t.Fatal("no certificate")
	}
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: pool}, ForceAttemptHTTP2: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Transport: transport}
}

// TestTLS serves a node over TLS: HTTP/2, nothing older than TLS 1.2, no plain
// HTTP, cookies for TLS only, and a sample that finds its way in.
func TestTLS(t *testing.T) {
	t.Parallel()
	files := newCertFiles(t)
	n := start(t, Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, Sample: true, TLSCert: files.cert, TLSKey: files.key})
	addr, ok := strings.CutPrefix(n.url, "https://")
	if !ok {
		t.Fatalf("it listens on %q", n.url)
	}
	client := files.client(t)
	get := func(path string) (*http.Response, string) {
		t.Helper()
		req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("X-API-Key", testKey)
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp, string(body)
	}
	resp, body := get("/readyz")
	if resp.StatusCode != 200 || resp.ProtoMajor != 2 || resp.TLS.Version < tls.VersionTLS12 || !strings.Contains(body, "tls: ok: certificate until ") {
		t.Errorf("%s over %s: %s", resp.Status, resp.Proto, body)
	}
	watch.Until(t, "the sample is loaded", func() bool { return strings.Contains(n.log.String(), "sample loaded") })
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPost, n.url+"/v1/session", strings.NewReader(`{"key":"`+testKey+`"}`))
	if err != nil {
		t.Fatal(err)
	}
	for origin, want := range map[string]int{"https://" + addr: 200, "http://" + addr: 403} {
		req.Header.Set("Origin", origin)
		req.Body = io.NopCloser(strings.NewReader(`{"key":"` + testKey + `"}`))
		resp, err := client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if resp.StatusCode != want {
			t.Errorf("sign-in from %s: %s", origin, resp.Status)
		}
		if want == 200 && !strings.Contains(resp.Header.Get("Set-Cookie"), "Secure") {
			t.Errorf("the cookie of a page over TLS: %s", resp.Header.Get("Set-Cookie"))
		}
	}
	dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}}
	if conn, err := dialer.DialContext(t.Context(), "tcp", addr); err == nil {
		_ = conn.Close()
		t.Error("TLS 1.1 is spoken")
	}
	plain, err := http.Get("http://" + addr + "/healthz")
	if err != nil {
		t.Fatal(err)
	}
	_ = plain.Body.Close()
	if plain.StatusCode != http.StatusBadRequest {
		t.Errorf("plain HTTP: %s", plain.Status)
	}
}

// A live stream goes over HTTP/2, and a stop ends it.
func TestTLSStream(t *testing.T) {
	t.Parallel()
	files := newCertFiles(t)
	n := start(t, Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, TLSCert: files.cert, TLSKey: files.key})
	req, err := http.NewRequestWithContext(t.Context(), http.MethodGet, n.url+"/v1/telemetry/stream", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-API-Key", testKey)
	resp, err := files.client(t).Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	hello := make([]byte, 256)
	if k, err := resp.Body.Read(hello); err != nil || !strings.Contains(string(hello[:k]), "id: ") || resp.ProtoMajor != 2 {
		t.Fatalf("%q over %s, %v", hello[:k], resp.Proto, err)
	}
	if err := n.stop(); err != nil {
		t.Error(err)
	}
	rest, err := io.ReadAll(resp.Body)
	if !strings.Contains(string(rest), `{"code":"stopping"}`) {
		t.Errorf("%q, %v", rest, err)
	}
}

// served is the certificate that a new connection is shown.
func served(t *testing.T, addr string) *x509.Certificate {
	t.Helper()
	dialer := &tls.Dialer{Config: &tls.Config{InsecureSkipVerify: true}}
	conn, err := dialer.DialContext(t.Context(), "tcp", addr)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	return conn.(*tls.Conn).ConnectionState().PeerCertificates[0]
}

// A new certificate is served without a restart; connections that are there stay.
func TestTLSRenewal(t *testing.T) {
	t.Parallel()
	files := newCertFiles(t)
	n := start(t, Config{DataDir: t.TempDir(), BootstrapAPIKey: testKey, TLSCert: files.cert, TLSKey: files.key})
	addr := strings.TrimPrefix(n.url, "https://")
	old := files.client(t)
	before := served(t, addr)
	ask := func() {
		t.Helper()
		resp, err := old.Get(n.url + "/healthz")
		if err != nil {
			t.Fatal(err)
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		_ = resp.Body.Close()
	}
	ask()
	renewed := files.renew(t, time.Now().Add(2*time.Hour))
	watch.Until(t, "the new certificate is served", func() bool { return served(t, addr).Equal(renewed) })
	if before.Equal(renewed) {
		t.Fatal("the same certificate twice: this proves nothing")
	}
	ask() // on the connection that it has
}

// What cannot be taken changes nothing, is logged once, and is in the health until it is over.
func TestCertificatesThatCannotBeTaken(t *testing.T) {
	t.Parallel()
	files := newCertFiles(t)
	goodCert, err := os.ReadFile(files.cert)
	if err != nil {
		t.Fatal(err)
	}
	goodKey, err := os.ReadFile(files.key)
	if err != nil {
		t.Fatal(err)
	}
	otherKey := func() []byte {
		other := newCertFiles(t)
		b, err := os.ReadFile(other.key)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}()
	log := &watch.Output{}
	c, err := openCertificates(files.cert, files.key, slog.New(slog.NewTextHandler(log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	first := c.current.Load().cert
	for _, bad := range []struct {
		name      string
		cert, key []byte
	}{
		{"empty files", nil, nil}, {"the key of another", goodCert, otherKey}, {"half a certificate", goodCert[:len(goodCert)/2], goodKey},
		{"a key in place of the certificate", goodKey, goodKey}, {"no PEM", []byte("x"), []byte("private words")},
	} {
		files.write(t, bad.cert, bad.key)
		logged := strings.Count(log.String(), "\n")
		c.reload()
		c.reload()
		if h := c.health(); h.OK || h.Blocking || !strings.Contains(h.Detail, files.cert) {
			t.Errorf("%s: %+v", bad.name, h)
		}
		if got := strings.Count(log.String(), "\n") - logged; got != 1 {
			t.Errorf("%s is logged %d times", bad.name, got)
		}
		if c.current.Load().cert != first {
			t.Errorf("%s was taken", bad.name)
		}
	}
	if err := os.Remove(files.key); err != nil {
		t.Fatal(err)
	}
	if c.reload(); c.health().OK {
		t.Error("a file is gone and nobody says it")
	}
	files.write(t, goodCert, goodKey)
	if c.reload(); !c.health().OK || c.current.Load().cert != first {
		t.Errorf("back again: %+v", c.health())
	}
	if strings.Contains(log.String(), "private words") || strings.Contains(log.String(), "BEGIN") {
		t.Errorf("the log repeats what is in the files:\n%s", log)
	}
	files.renew(t, time.Now().Add(-time.Hour))
	if c.reload(); c.health().OK || !strings.Contains(c.health().Detail, "ended at") {
		t.Errorf("an old certificate: %+v", c.health())
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Run(ctx); err != nil {
		t.Error(err)
	}
}

// The settings say what is wrong with them before anything is opened.
func TestTLSSettings(t *testing.T) {
	t.Parallel()
	files := newCertFiles(t)
	for _, c := range []struct {
		name string
		cfg  Config
		says string
	}{
		{"certificate alone", Config{TLSCert: files.cert}, "--tls-key, BROKLE_TLS_KEY"},
		{"key alone", Config{TLSKey: files.key}, "--tls-cert, BROKLE_TLS_CERT"},
		{"absent", Config{TLSCert: files.cert + ".no", TLSKey: files.key}, "no such file"},
		{"swapped", Config{TLSCert: files.key, TLSKey: files.cert}, "no certificate with its key"},
	} {
		if err := c.cfg.Validate(); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := (Config{TLSCert: files.cert, TLSKey: files.key}).Validate(); err != nil {
		t.Error(err)
	}
}
