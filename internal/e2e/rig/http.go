package rig

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"testing"

	"github.com/brokle-ai/brokle-go"
)

// Do sends one request with Key and reads the whole answer.
func (n *Node) Do(ctx context.Context, client *http.Client, method, path string, body []byte) (int, []byte, error) {
	req, err := http.NewRequestWithContext(ctx, method, n.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("X-API-Key", Key)
	req.Header.Set("Content-Type", "application/json")
	resp, err := client.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	return resp.StatusCode, b, err
}

// Get reads path into v. Anything but 200 is an error.
func (n *Node) Get(ctx context.Context, path string, v any) error {
	status, b, err := n.Do(ctx, http.DefaultClient, http.MethodGet, path, nil)
	if err != nil {
		return fmt.Errorf("GET %s: %w", path, err)
	}
	if status == http.StatusServiceUnavailable {
		return fmt.Errorf("GET %s: %w: %.300s", path, errUnavailable, b)
	}
	if status != http.StatusOK {
		return fmt.Errorf("GET %s: %d %.300s", path, status, b)
	}
	if err := json.Unmarshal(b, v); err != nil {
		return fmt.Errorf("GET %s: %w in %.300s", path, err, b)
	}
	return nil
}

// GetJSON is Get that ends the test on an error.
func (n *Node) GetJSON(t testing.TB, path string, v any) {
	t.Helper()
	if err := n.Get(t.Context(), path, v); err != nil {
		t.Fatal(err)
	}
}

// Post sends one batch and returns the answer of a 200 or 202.
func (n *Node) Post(ctx context.Context, client *http.Client, req *brokle.BatchRequest) (*brokle.BatchResponse, int, error) {
	body, err := json.Marshal(req)
	if err != nil {
		return nil, 0, err
	}
	status, b, err := n.Do(ctx, client, http.MethodPost, "/v1/telemetry/batch", body)
	if err != nil {
		return nil, status, err
	}
	if status != http.StatusOK && status != http.StatusAccepted {
		return nil, status, fmt.Errorf("answer %d: %.300s", status, b)
	}
	var answer brokle.BatchResponse
	return &answer, status, json.Unmarshal(b, &answer)
}

// Count is how many events the query API counts; query is more of its
// parameters, as in "&environment=x".
func (n *Node) Count(ctx context.Context, query string) (int, error) {
	var page struct {
		Data []struct{ Count int }
	}
	if err := n.Get(ctx, "/v1/stats?of=events&metrics=count"+query, &page); err != nil || len(page.Data) == 0 {
		return 0, err
	}
	return page.Data[0].Count, nil
}

// errUnavailable is the answer 503: ask again.
var errUnavailable = errors.New("503")

// AwaitCount waits until the query API counts want events, also for a warehouse that has not answered the node yet. Going over is an error at once.
func (n *Node) AwaitCount(ctx context.Context, want int) error {
	deadline := time.Now().Add(Patience)
	for {
		got, err := n.Count(ctx, "")
		switch {
		case err != nil && (!errors.Is(err, errUnavailable) || time.Now().After(deadline)):
			return err
		case err != nil:
		case got == want:
			return nil
		case got > want || time.Now().After(deadline):
			return fmt.Errorf("the query API counts %d events, want %d", got, want)
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}
