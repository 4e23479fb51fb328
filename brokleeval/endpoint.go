package brokleeval

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strconv"
	"strings"
	"time"
)

// Endpoint is a server that speaks OpenAI's API.
type Endpoint struct {
	// URL is what paths such as /chat/completions are below. Default: OPENAI_BASE_URL of the environment, else https://api.openai.com/v1.
	URL string
	// Key is sent as a bearer token. Default: OPENAI_API_KEY of the environment; without one none is sent.
	Key string
	// Header has more headers, or is nil.
	Header http.Header
	// Client sends requests. Default: one with a timeout of 2 minutes.
	Client *http.Client
	// Tries is how often a request is sent that is answered 429, 5xx, or not at all, at least 1. Default 5, with pauses that grow from a second, or are what Retry-After says.
	Tries int
}

const (
	firstPause    = time.Second
	longestPause  = 30 * time.Second
	largestAnswer = 16 << 20
)

// post sends a request and decodes the answer, of which a cache may know.
func (e Endpoint) post(ctx context.Context, path string, request, answer any) error {
	body, err := json.Marshal(request)
	if err != nil {
		return err
	}
	at := strings.TrimSuffix(cmp.Or(e.URL, os.Getenv("OPENAI_BASE_URL"), "https://api.openai.com/v1"), "/") + path
	kept := cacheOf(ctx)
	key := keyOf("call", at, string(body))
	if raw, ok := kept.get(key); ok {
		return json.Unmarshal(raw, answer)
	}
	raw, err := e.try(ctx, at, body)
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, answer); err != nil {
		return fmt.Errorf("%s answered what is not JSON", at)
	}
	kept.put(key, raw)
	return nil
}

// refusal is an answer that is not 200.
type refusal struct {
	status int
	wait   time.Duration
	said   string
}

func (r *refusal) Error() string { return fmt.Sprintf("answered %d: %s", r.status, r.said) }

func (e Endpoint) try(ctx context.Context, at string, body []byte) (raw []byte, err error) {
	pause := firstPause
	for try := 1; ; try++ {
		raw, err = e.send(ctx, at, body)
		var no *refusal
		again := err != nil && ctx.Err() == nil
		if errors.As(err, &no) {
			again = no.status == http.StatusTooManyRequests || no.status >= 500
		}
		if !again || try >= cmp.Or(e.Tries, 5) {
			if err != nil {
				err = fmt.Errorf("%s: %w", at, err)
			}
			return raw, err
		}
		wait := pause
		if no != nil && no.wait > 0 {
			wait = min(no.wait, longestPause)
		}
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil, ctx.Err()
		}
		pause = min(2*pause, longestPause)
	}
}

func (e Endpoint) send(ctx context.Context, at string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	for name, values := range e.Header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	if key := cmp.Or(e.Key, os.Getenv("OPENAI_API_KEY")); key != "" && req.Header.Get("Authorization") == "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	client := e.Client
	if client == nil {
		client = &http.Client{Timeout: 2 * time.Minute}
	}
	res, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	raw, err := io.ReadAll(io.LimitReader(res.Body, largestAnswer))
	if err := errors.Join(err, res.Body.Close()); err != nil {
		return nil, err
	}
	if res.StatusCode != http.StatusOK {
		seconds, _ := strconv.Atoi(res.Header.Get("Retry-After"))
		return nil, &refusal{res.StatusCode, time.Duration(seconds) * time.Second, brief(string(raw))}
	}
	return raw, nil
}
