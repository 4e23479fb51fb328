package mcp

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// faulty is an API that does what a test says.
type faulty func() (*Reply, error)

func (f faulty) Do(context.Context, Request) (*Reply, error) { return f() }

// What comes by lines is answered, also what comes last before the end, and whatever goes wrong behind it is told.
func TestServeLines(t *testing.T) {
	t.Parallel()
	everything := New(Options{Offers: func(string, string) bool { return true }, Version: "1"})
	hello := `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	for says, api := range map[string]faulty{
		"no way there":                func() (*Reply, error) { return nil, errors.New("no way there") },
		"the server's log says why":   func() (*Reply, error) { panic("a payload") },
		"larger than a tool can read": func() (*Reply, error) { return nil, fmt.Errorf("GET: %w", ErrTooLarge) },
		"the server answered 502":     func() (*Reply, error) { return &Reply{Status: 502, Body: []byte("<html>")}, nil },
		"the server answered 503 closed": func() (*Reply, error) {
			return &Reply{Status: 503, Body: []byte(`{"error":{"code":"closed","message":"come again"}}`)}, nil
		},
		"read the answer of GET": func() (*Reply, error) { return &Reply{Status: 200, Body: []byte("<html>")}, nil },
	} {
		var out bytes.Buffer
		in := hello + "\n" + `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"stats","arguments":{}}}` + "\n"
		if err := everything.ServeLines(t.Context(), api, []string{"read"}, strings.NewReader(in), &out); err != nil {
			t.Errorf("%s: %v", says, err)
		}
		lines := strings.Split(strings.TrimSpace(out.String()), "\n")
		if len(lines) != 2 || !strings.Contains(lines[0], `"protocolVersion":"2025-06-18"`) || !strings.Contains(lines[1], says) || !strings.Contains(lines[1], `"isError":true`) || strings.Contains(lines[1], "a payload") {
			t.Errorf("%s: %s", says, out.String())
		}
	}
}

// A line that is no message is answered as such, and those behind it are read.
func TestLinesThatAreNoMessages(t *testing.T) {
	t.Parallel()
	everything := New(Options{Offers: func(string, string) bool { return true }, Version: "1"})
	hello := `{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"t","version":"1"}}}`
	for bad, says := range map[string]string{
		"no JSON": "-32700", `{"jsonrpc":`: "-32700", "\xff": "-32700", `"text"`: "-32600", `[]`: "-32600", `[1]`: "-32600", `{"jsonrpc":"1.0","id":1,"method":"ping"}`: "-32600", `{}`: "-32600",
		strings.Repeat("x", mostLine+1): "-32600", "": "", " \r": "",
	} {
		var out bytes.Buffer
		in := bad + "\n" + hello + "\n" + bad + "\n" + `{"jsonrpc":"2.0","id":1,"method":"ping"}`
		if err := everything.ServeLines(t.Context(), faulty(nil), nil, strings.NewReader(in), &out); err != nil {
			t.Errorf("%.30s: %v", bad, err)
		}
		want := 2
		if says != "" {
			want = 4
		}
		if got := strings.Split(strings.TrimSpace(out.String()), "\n"); len(got) != want || strings.Count(out.String(), `"id":null`) != want-2 || !strings.Contains(out.String(), says) || !strings.Contains(out.String(), `"id":1,"result"`) {
			t.Errorf("%.30s: %s", bad, out.String())
		}
	}
}

// What a server has and a key may is asked of the server.
func TestDiscover(t *testing.T) {
	t.Parallel()
	if _, err := Discover(t.Context(), faulty(func() (*Reply, error) {
		return &Reply{Status: 401, Body: []byte(`{"success":false,"error":{"code":"unauthorized","message":"the key is not known"}}`)}, nil
	})); err == nil {
		t.Error("a wrong key is taken")
	} else if status, code, message, ok := Refused(err); !ok || status != 401 || code != "unauthorized" || message != "the key is not known" {
		t.Errorf("%v: %d %s %s %v", err, status, code, message, ok)
	}
	asked := 0
	found, err := Discover(t.Context(), faulty(func() (*Reply, error) {
		if asked++; asked == 1 {
			return &Reply{Status: 200, Body: []byte(`{"success":true,"data":{"permissions":{"read":true,"admin":false}}}`)}, nil
		}
		if asked == 2 {
			return &Reply{Status: 204, Allow: "GET, HEAD, OPTIONS"}, nil
		}
		return &Reply{Status: 404}, nil
	}))
	if err != nil || len(found.Scopes) != 1 || found.Scopes[0] != "read" || asked != 1+len(Paths()) {
		t.Fatalf("%+v %v, asked %d times", found, err, asked)
	}
	for _, path := range Paths() {
		if first := path == Paths()[0]; found.Offers("GET", path) != first || found.Offers("POST", path) {
			t.Errorf("%s: %v", path, first)
		}
	}
}
