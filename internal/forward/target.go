package forward

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"strings"
)

// Target is a server of OpenTelemetry. The zero Target is none.
type Target struct {
	urls   map[string]string // by signal
	header http.Header
}

// signal is a kind of request.
type signal string

const (
	traces signal = "traces"
	logs   signal = "logs"
)

var signals = []signal{traces, logs}

// TargetOf reads the URL of a target, to which /v1/traces is appended unless it ends in it, and headers of the
// form NAME=VALUE. A value that begins with @ is the name of a file that holds it. The errors do not
// show values of headers.
func TargetOf(address string, headers []string) (Target, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return Target{}, errors.New("must be a URL such as https://collector.example:4318")
	case u.User != nil:
		return Target{}, errors.New("must not hold a name or a password: send them in a header")
	case u.Fragment != "":
		return Target{}, errors.New("must not have a fragment")
	}
	t := Target{urls: map[string]string{}}
	base := strings.TrimSuffix(strings.TrimRight(u.Path, "/"), "/v1/traces")
	for _, s := range signals {
		of := *u
		of.Path, of.RawPath = base+"/v1/"+string(s), ""
		t.urls[string(s)] = of.String()
	}
	if t.header, err = HeadersOf(headers); err != nil {
		return Target{}, err
	}
	return t, nil
}

// HeadersOf reads headers of the form NAME=VALUE, as TargetOf has them. The error is a *HeaderError.
func HeadersOf(headers []string) (http.Header, error) {
	all := http.Header{}
	for _, h := range headers {
		name, value, err := headerOf(h)
		if err != nil {
			return nil, err
		}
		all.Add(name, value)
	}
	return all, nil
}

// HeaderError is a header that cannot be sent.
type HeaderError struct{ reason string }

func (e *HeaderError) Error() string { return e.reason }

func headerOf(text string) (name, value string, err error) {
	bad := func(format string, args ...any) (string, string, error) {
		return "", "", &HeaderError{fmt.Sprintf(format, args...)}
	}
	name, value, ok := strings.Cut(text, "=")
	name = strings.TrimSpace(name)
	if !ok || !isToken(name) {
		return bad("must be NAME=VALUE, with a name that HTTP allows")
	}
	for _, ours := range []string{"Content-Type", "Content-Encoding", "Content-Length", "Transfer-Encoding", "Host", ForwardedHeader} {
		if strings.EqualFold(name, ours) {
			return bad("must not set %s, which belongs to the request", ours)
		}
	}
	if path, isFile := strings.CutPrefix(value, "@"); isFile {
		raw, err := os.ReadFile(path)
		if err != nil {
			return bad("the file of the header %s: %v", name, err)
		}
		value = string(raw)
	}
	if value = strings.TrimSpace(value); value == "" || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }) {
		return bad("the value of the header %s is empty, or has characters that HTTP does not allow", name)
	}
	return name, value, nil
}

// isToken says whether a header can have this name (RFC 9110 section 5.6.2).
func isToken(name string) bool {
	const signs = "!#$%&'*+-.^_`|~"
	return name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return (r < '0' || r > '9') && (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && !strings.ContainsRune(signs, r)
	})
}

// mark tells targets apart, in the cursor's file.
func (t *Target) mark() string {
	sum := sha256.Sum256([]byte(t.urls[string(traces)]))
	return hex.EncodeToString(sum[:16])
}
