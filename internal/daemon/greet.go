package daemon

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/internal/datadir"
	"github.com/brokle-ai/brokle-go/internal/durable"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/sample"
	"github.com/brokle-ai/brokle-go/web"
)

// defaultProject is the project of keys that the node makes itself.
const defaultProject = "default"

// allScopes are the scopes of such a key.
func allScopes() []keyring.Scope {
	return []keyring.Scope{keyring.ScopeIngest, keyring.ScopeRead, keyring.ScopeAdmin}
}

// firstKey puts in the bootstrap key, or makes a key where the person has none
// to begin with: with Dev, and on a start without any. It returns the key to show.
func (n *node) firstKey() (string, error) {
	if k := n.cfg.BootstrapAPIKey; k != "" {
		if _, err := n.keys.Put(k, defaultProject, "bootstrap", allScopes()); err != nil {
			return "", fmt.Errorf("bootstrap key: %w", err)
		}
		return "", nil
	}
	if !n.cfg.Dev && !n.keys.Empty() {
		return "", nil
	}
	if head := n.log.Head(); n.keys.Empty() && head > 0 {
		n.logger.Warn("there is no file of keys, although the log has events: a key is made that is new; the clients' old ones are refused until their file is put back",
			"file", datadir.KeysFile, "log_head", uint64(head))
	}
	if n.cfg.Dev {
		return n.devKey()
	}
	secret, _, err := n.keys.Create(defaultProject, "first", allScopes())
	if err != nil {
		return "", fmt.Errorf("first key: %w", err)
	}
	return secret, nil
}

// devKey is the key of --dev: one for a data directory, kept in a file that only its owner reads, so that a program
// that was given it goes on after a restart. One that was revoked, or whose file is gone, is followed by another.
func (n *node) devKey() (string, error) {
	path := filepath.Join(n.cfg.DataDir, datadir.DevKeyFile)
	kept, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("key of --dev: %w", err)
	}
	secret := strings.TrimSpace(string(kept))
	if caller, known := n.keys.Lookup(secret); known && caller.Has(keyring.ScopeAdmin) {
		return secret, nil
	}
	if secret, _, err = n.keys.Create(defaultProject, "dev", allScopes()); err != nil {
		return "", fmt.Errorf("key of --dev: %w", err)
	}
	if err := durable.Replace(path, []byte(secret+"\n")); err != nil {
		return "", fmt.Errorf("key of --dev: %w", err)
	}
	return secret, nil
}

// greet tells the person where the node listens, and the key that was made.
func (n *node) greet(out io.Writer, on listeners) error {
	url := n.baseURL(on.main.Addr())
	text := "listening on " + url + "\n"
	if on.grpc != nil {
		text += "OTLP over gRPC on " + on.grpc.Addr().String() + "\n"
	}
	if n.newKey != "" {
		text += "BROKLE_API_KEY=" + n.newKey + "\n"
	}
	if n.cfg.Dev {
		key := n.newKey
		if key == "" {
			key = "$BROKLE_BOOTSTRAP_API_KEY"
		}
		if path, ok := n.server.Link(cmp.Or(n.newKey, n.cfg.BootstrapAPIKey)); ok {
			text += "open: " + url + path + " (signs in once, within ten minutes)\n"
		}
		text += "try: curl -s " + n.curlCA() + "'" + url + "/v1/stats?group_by=model&metrics=count,latency_p95,cost' -H \"X-API-Key: " + key + "\"\n"
	}
	if _, ok := web.App(); !ok {
		text += web.Missing + "\n"
	}
	if _, err := io.WriteString(out, text); err != nil {
		return fmt.Errorf("write greeting: %w", err)
	}
	return nil
}

// curlCA makes curl trust the certificate, whoever signed it.
func (n *node) curlCA() string {
	if n.certs == nil {
		return ""
	}
	return "--cacert '" + n.cfg.TLSCert + "' "
}

// baseURL is how a client on this machine reaches addr.
func (n *node) baseURL(addr net.Addr) string {
	scheme := "http://"
	if n.certs != nil {
		scheme = "https://"
	}
	host, port, err := net.SplitHostPort(addr.String())
	if err != nil {
		return scheme + addr.String()
	}
	if ip := net.ParseIP(host); ip != nil && ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	return scheme + net.JoinHostPort(host, port)
}

// loadSample sends the sample through the API, like any client. Trouble is
// logged: the node is well without it.
func (n *node) loadSample(ctx context.Context, addr net.Addr) error {
	if !n.cfg.Sample {
		return nil
	}
	logger := n.logger.With("part", "sample")
	processed, duplicate, err := n.sendSample(ctx, n.baseURL(addr))
	switch {
	case err == nil:
		logger.Info("sample loaded", "new_events", processed, "known_events", duplicate)
	case ctx.Err() == nil:
		logger.Warn("the sample was not loaded", "error", err)
	}
	return nil
}

// sendSample uses a key that the node knows, or one that lives only as long.
func (n *node) sendSample(ctx context.Context, url string) (processed, duplicate int, err error) {
	secret := cmp.Or(n.cfg.BootstrapAPIKey, n.newKey)
	if secret == "" {
		var key keyring.Key
		if secret, key, err = n.keys.Create(defaultProject, "sample", []keyring.Scope{keyring.ScopeIngest}); err != nil {
			return 0, 0, err
		}
		defer func() { err = errors.Join(err, n.keys.Revoke(key.ID)) }()
	}
	cfg := brokle.Config{Host: url, APIKey: secret}
	if n.certs != nil {
		own := &http.Transport{TLSClientConfig: n.certs.ownClient(), ForceAttemptHTTP2: true}
		defer own.CloseIdleConnections()
		cfg.HTTPClient = &http.Client{Transport: own}
	}
	client, err := brokle.New(cfg)
	if err != nil {
		return 0, 0, err
	}
	processed, duplicate, err = sample.Load(ctx, client, time.Now())
	return processed, duplicate, errors.Join(err, client.Close(ctx))
}
