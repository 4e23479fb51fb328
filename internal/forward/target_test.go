package forward

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func TestTargetOf(t *testing.T) {
	t.Parallel()
	for address, want := range map[string][2]string{
		"http://h":                            {"http://h/v1/traces", "http://h/v1/logs"},
		"https://h:4318/":                     {"https://h:4318/v1/traces", "https://h:4318/v1/logs"},
		"http://h/v1/traces":                  {"http://h/v1/traces", "http://h/v1/logs"},
		"http://h/api/public/otel/v1/traces/": {"http://h/api/public/otel/v1/traces", "http://h/api/public/otel/v1/logs"},
		"http://h/api?tenant=7":               {"http://h/api/v1/traces?tenant=7", "http://h/api/v1/logs?tenant=7"},
	} {
		target, err := TargetOf(address, nil)
		if err != nil || target.urls["traces"] != want[0] || target.urls["logs"] != want[1] {
			t.Errorf("%s: %v %v", address, target.urls, err)
		}
	}
	for address, says := range map[string]string{
		"h:4318": "URL", "ftp://h": "URL", "http://": "URL", "/v1/traces": "URL", "http://u:p@h": "header", "http://h/#x": "fragment", "http://h:%zz": "URL",
	} {
		if _, err := TargetOf(address, nil); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%s: %v, want %q", address, err, says)
		}
	}
}

func TestHeaders(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "key")
	if err := os.WriteFile(file, []byte("secret in a file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	target, err := TargetOf("http://h", []string{"Authorization=Bearer a=b", "x-key=@" + file})
	if err != nil || target.header.Get("Authorization") != "Bearer a=b" || target.header.Get("X-Key") != "secret in a file" {
		t.Errorf("%v %v", target.header, err)
	}
	for header, says := range map[string]string{
		"secret": "NAME=VALUE", "a b=secret": "NAME=VALUE", "=secret": "NAME=VALUE", "k=": "empty", "k=secret\nx": "not allow", "Content-Type=secret": "belongs to the request",
		"k=@" + file + "2": "file of the header k", "host=secret": "belongs",
	} {
		if _, err := TargetOf("http://h", []string{header}); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret") && !strings.Contains(header, "@") {
			t.Errorf("%q: %v, want %q", header, err, says)
		}
	}
}

func TestRetryAfter(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]time.Duration{
		"": 0, "3": 3 * time.Second, "-3": 0, "soon": 0, "999999999": longestRetryAfter, "Sun, 01 Mar 2026 12:00:05 GMT": 5 * time.Second, "Sun, 01 Mar 2026 11:00:05 GMT": 0,
	} {
		if got := retryAfter(text, now); got != want {
			t.Errorf("%q: %v, want %v", text, got, want)
		}
	}
}

// The cursor is that of one target; a damaged file is not taken for the beginning.
func TestCursor(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "forward.json")
	if at, err := readCursor(path, "a"); at != 0 || err != nil {
		t.Errorf("no file: %d %v", at, err)
	}
	if err := writeCursor(path, "a", 7); err != nil {
		t.Fatal(err)
	}
	for target, want := range map[string]uint64{"a": 7, "b": 0} {
		if at, err := readCursor(path, target); uint64(at) != want || err != nil {
			t.Errorf("%s: %d %v", target, at, err)
		}
	}
	for _, content := range []string{"", "{", `{"version":2}`} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := readCursor(path, "a"); err == nil || !strings.Contains(err.Error(), "delete it") {
			t.Errorf("%q: %v", content, err)
		}
	}
}
