package clickhouse

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/store/storetest"
)

// authority signs certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
	file string // its certificate
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	a := &authority{file: filepath.Join(t.TempDir(), "ca.pem")}
	var err error
	if a.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		t.Fatal(err)
	}
	made := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority of a test"}, NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}
	raw, err := x509.CreateCertificate(rand.Reader, made, made, &a.key.PublicKey, a.key)
	if err == nil {
		a.cert, err = x509.ParseCertificate(raw)
	}
	if err == nil {
		err = os.WriteFile(a.file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: raw}), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// sign makes a certificate of a server.
func (a *authority) sign(t *testing.T, until time.Time, ips ...net.IP) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	made := &x509.Certificate{SerialNumber: big.NewInt(2), NotAfter: until, IPAddresses: ips, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}}
	raw, err := x509.CreateCertificate(rand.Reader, made, a.cert, &key.PublicKey, a.key)
	if err != nil {
		t.Fatal(err)
	}
	return tls.Certificate{Certificate: [][]byte{raw}, PrivateKey: key}
}

// overTLS speaks TLS in front of a server until the test ends: the engine as a library has no port that does.
func overTLS(t *testing.T, address string, cert tls.Certificate) string {
	t.Helper()
	l, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{cert}})
	if err != nil {
		t.Fatal(err)
	}
	var work sync.WaitGroup
	work.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			work.Go(func() {
				defer func() { _ = client.Close() }()
				if client.(*tls.Conn).Handshake() != nil {
					return // and the server is not asked
				}
				server, err := net.Dial("tcp", address)
				if err != nil {
					return
				}
				work.Go(func() {
					_, _ = io.Copy(server, client)
					_ = server.(*net.TCPConn).CloseWrite()
				})
				_, _ = io.Copy(client, server)
				_ = server.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		work.Wait()
	})
	return l.Addr().String()
}

// A certificate is checked against the file that the URL names, or what the machine trusts; what is wrong with it is said, and no secret. It is so over HTTP, too.
func TestTLS(t *testing.T) {
	t.Parallel()
	s := server(t)
	tryTLS(t, s, s.Addr(), "clickhouse", "secure=true&")
	tryTLS(t, s, fmt.Sprintf("127.0.0.1:%d", s.HTTP), "https", "")
}

func tryTLS(t *testing.T, s *clickhousetest.Server, address, scheme, secure string) {
	signer, other := newAuthority(t), newAuthority(t)
	here := net.IPv4(127, 0, 0, 1)
	good := overTLS(t, address, signer.sign(t, time.Now().Add(time.Hour), here))
	elsewhere := overTLS(t, address, signer.sign(t, time.Now().Add(time.Hour), net.IPv4(127, 0, 0, 2)))
	expired := overTLS(t, address, signer.sign(t, time.Now().Add(-time.Hour), here))
	database := s.Database(t)
	for _, c := range []struct{ address, parameters, why string }{
		{good, "ca=" + url.QueryEscape(signer.file), ""},
		{good, "skip_verify=true", ""},
		{good, "ca=" + url.QueryEscape(other.file), "signed by nobody who is trusted"},
		{good, "", "signed by nobody who is trusted"},
		{elsewhere, "ca=" + url.QueryEscape(signer.file), "not for the host"},
		{expired, "ca=" + url.QueryEscape(signer.file), "has expired"},
		{overPlain(t), "ca=" + url.QueryEscape(signer.file), "does not speak TLS"},
	} {
		text := fmt.Sprintf("%s://%s:%s@%s/%s?%s%s", scheme, clickhousetest.User, url.PathEscape(clickhousetest.Password), c.address, database, secure, c.parameters)
		parsed, err := ParseURL(strings.TrimRight(text, "&?"))
		if err != nil {
			t.Fatal(err)
		}
		o := testOptions(t, s, database)
		o.HTTP, o.Addresses, o.TLS = parsed.HTTP, parsed.Addresses, parsed.TLS
		if c.why == "" {
			w := openWith(t, o)
			recs := firstOf(withRows(t, storetest.History(9, 20)))
			insert(t, w, recs, recs[len(recs)-1].Seq)
			if _, err := query.ListTraces(t.Context(), w, "p", store.Query{}); err != nil {
				t.Errorf("%s: %v", c.parameters, err)
			}
			closeOf(t, w)
			continue
		}
		w, err := New(o)
		if err != nil {
			t.Fatal(err)
		}
		err = w.Connect(t.Context())
		if err == nil || !strings.Contains(err.Error(), c.why) || strings.Contains(err.Error(), clickhousetest.Password) || strings.Contains(err.Error(), c.address) {
			t.Errorf("%s: %v, want that it %s", c.parameters, err, c.why)
		}
		if cause := causeOf(err); strings.Contains(cause.Error(), clickhousetest.Password) {
			t.Errorf("the log has the password: %v", cause)
		}
		closeOf(t, w)
	}
}

// overPlain answers in no TLS, whatever it is sent.
func overPlain(t *testing.T) string {
	t.Helper()
	return clickhousetest.Refuse(t, 516, "who are you")
}
