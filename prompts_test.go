package brokle_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go"
)

// promptServer answers for prompts, and counts how often it is asked.
type promptServer struct {
	mu     sync.Mutex
	status int
	body   string
	delay  time.Duration
	asked  []string
}

func (s *promptServer) RoundTrip(r *http.Request) (*http.Response, error) {
	s.mu.Lock()
	s.asked = append(s.asked, r.URL.RequestURI())
	status, body, delay := s.status, s.body, s.delay
	s.mu.Unlock()
	select {
	case <-time.After(delay):
	case <-r.Context().Done():
		return nil, r.Context().Err()
	}
	if status == 0 {
		return nil, errors.New("connection refused")
	}
	return &http.Response{StatusCode: status, Header: http.Header{"Content-Type": {"application/json"}}, Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func (s *promptServer) set(status int, body string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.status, s.body = status, body
}

func (s *promptServer) count() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.asked)
}

func (s *promptServer) client(t *testing.T) *brokle.Client {
	t.Helper()
	c, err := brokle.New(brokle.Config{APIKey: "bk_prompts", Host: "http://brokle.invalid", HTTPClient: &http.Client{Transport: s}, MaxRetries: 1})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func version(content string) string {
	return `{"success":true,"data":{"id":"p@1","name":"p","version":1,"type":"text","template":{"content":"` + content + `"},"variables":["x"],"labels":["latest"]}}`
}

const noPrompt = `{"success":false,"error":{"code":"not_found","message":"prompt not found"}}`

// want is what a prompt says, or what an error does.
func want(t *testing.T, what string, p *brokle.PromptVersion, err error, content string) {
	t.Helper()
	got := ""
	if err != nil {
		got = err.Error()
	} else {
		got = p.Template.Content
	}
	if !strings.Contains(got, content) {
		t.Errorf("%s: %q, want %q", what, got, content)
	}
}

func TestPromptIsCachedAndRefreshed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &promptServer{status: 200, body: version("one {{x}}"), delay: 100 * time.Millisecond}
		c := s.client(t)
		ctx := t.Context()
		var all sync.WaitGroup
		for range 5 { // who asks at once waits for one answer
			all.Go(func() {
				p, err := c.Prompt(ctx, "p")
				want(t, "first", p, err, "one")
			})
		}
		all.Wait()
		if s.count() != 1 || s.asked[0] != "/v1/prompts/p?label=production" {
			t.Errorf("asked: %q", s.asked)
		}
		p, err := c.Prompt(ctx, "p")
		want(t, "fresh", p, err, "one")
		if got, err := p.CompileText(map[string]any{"x": 1}); got != "one 1" || err != nil {
			t.Errorf("%q, %v", got, err)
		}
		var missing *brokle.MissingVariablesError
		if _, err := p.CompileText(nil); !errors.As(err, &missing) || missing.Variables[0] != "x" {
			t.Errorf("without a value: %v", err)
		}
		s.set(200, version("two"))
		time.Sleep(time.Minute)
		start := time.Now()
		p, err = c.Prompt(ctx, "p")
		want(t, "stale", p, err, "one")
		if time.Since(start) != 0 {
			t.Error("a stale one is waited for")
		}
		time.Sleep(time.Second)
		p, err = c.Prompt(ctx, "p")
		want(t, "refreshed", p, err, "two")

		// While the server is away what it gave last holds, and it is not asked all the time.
		s.set(0, "")
		time.Sleep(time.Hour)
		before := s.count()
		for range 10 {
			p, err = c.Prompt(ctx, "p", brokle.FallbackText("compiled in"))
			want(t, "away", p, err, "two")
			time.Sleep(time.Second)
		}
		if n := s.count() - before; n > 6 {
			t.Errorf("asked %d times in 10 s, with one retry each", n)
		}
		// Deleted: it is used no more.
		s.set(404, noPrompt)
		time.Sleep(time.Minute)
		p, err = c.Prompt(ctx, "p")
		want(t, "stale once more", p, err, "two")
		time.Sleep(time.Second)
		p, err = c.Prompt(ctx, "p", brokle.FallbackText("compiled in"))
		want(t, "deleted", p, err, "compiled in")
		if _, err := c.Prompt(ctx, "p"); !brokle.IsNotFound(err) {
			t.Errorf("deleted: %v", err)
		}
		if err := c.Close(ctx); err != nil {
			t.Error(err)
		}
	})
}

func TestPromptFallsBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := &promptServer{delay: time.Minute}
		c := s.client(t)
		start := time.Now()
		p, err := c.Prompt(t.Context(), "p", brokle.FallbackMessages(brokle.PromptMessage{Role: "user", Content: "{{q}}?"}))
		if err != nil || !p.IsFallback || p.Name != "p" || p.Said() != "fallback" || len(p.Variables) != 1 || time.Since(start) != 5*time.Second {
			t.Errorf("%+v, %v after %v", p, err, time.Since(start))
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := c.Prompt(ctx, "p"); !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "prompt p") {
			t.Errorf("without a fallback: %v", err)
		}
		s.mu.Lock()
		s.delay = 0
		s.mu.Unlock()
		time.Sleep(5 * time.Minute)
		if _, err := c.Prompt(t.Context(), "p"); err == nil || !strings.Contains(err.Error(), "connection refused") {
			t.Errorf("away: %v", err)
		}
		start = time.Now()
		for range 3 { // after a failure it is not waited for
			p, err = c.Prompt(t.Context(), "p", brokle.FallbackText("compiled in"))
			want(t, "after a failure", p, err, "compiled in")
		}
		if time.Since(start) != 0 {
			t.Error("the fallback is waited for after a failure")
		}
		s.set(200, version("there again"))
		time.Sleep(6 * time.Second)
		p, err = c.Prompt(t.Context(), "p", brokle.FallbackText("compiled in"))
		want(t, "there again", p, err, "there again")

		before := s.count()
		for _, o := range []brokle.PromptOption{brokle.PromptNumber(7), brokle.PromptLabel("staging"), brokle.PromptFreshFor(0)} {
			p, err = c.Prompt(t.Context(), "a b", o)
			want(t, "another", p, err, "there again")
		}
		if got := strings.Join(s.asked[before:], " "); got != "/v1/prompts/a%20b?version=7 /v1/prompts/a%20b?label=staging /v1/prompts/a%20b?label=production" {
			t.Errorf("asked for %s", got)
		}
		time.Sleep(time.Hour)
		before = s.count()
		_, err = c.Prompt(t.Context(), "a b", brokle.PromptNumber(7)) // which never changes
		synctest.Wait()
		if err != nil || s.count() != before {
			t.Errorf("a version was asked for again, or %v", err)
		}
		if err := c.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if _, err := c.Prompt(t.Context(), "new"); !errors.Is(err, brokle.ErrClosed) && !errors.Is(err, brokle.ErrDisabled) {
			t.Errorf("closed: %v", err)
		}
	})
	var none *brokle.Client
	if _, err := none.Prompt(t.Context(), "p"); !errors.Is(err, brokle.ErrDisabled) {
		t.Errorf("no client: %v", err)
	}
	p, err := none.Prompt(t.Context(), "p", brokle.FallbackText("compiled in"))
	want(t, "no client", p, err, "compiled in")
}
