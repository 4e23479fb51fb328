package brokle

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// transport speaks the HTTP API.
type transport struct {
	cfg      *Config
	http     *http.Client
	compress *compressor
	close    func() // lets idle connections go
}

const (
	pathBatch = "/v1/telemetry/batch"
	userAgent = "brokle-go/" + Version
	// maxAnswer bounds what is read of one answer: a full page of traces fits many times.
	maxAnswer = 256 << 20
	maxError  = 1 << 20
)

func newTransport(cfg *Config) *transport {
	t := &transport{cfg: cfg, compress: newCompressor(cfg.Compression), close: func() {}}
	client := http.Client{}
	if cfg.HTTPClient != nil {
		client = *cfg.HTTPClient
	} else {
		rt := http.DefaultTransport.(*http.Transport).Clone()
		rt.MaxIdleConnsPerHost = maxSenders + 4
		rt.DisableCompression = false
		client.Transport, t.close = rt, rt.CloseIdleConnections
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.http = &client
	return t
}

// do sends one request and returns the answer with its body unread, or a
// *RequestError for no answer or one that is not 2xx. cancel releases the
// request once the body has been read.
func (t *transport) do(ctx context.Context, method, path string, query url.Values, header http.Header, body func() *requestBody) (resp *http.Response, cancel context.CancelFunc, err error) {
	ctx, cancel = context.WithTimeout(ctx, t.cfg.Timeout)
	resp, err = t.open(ctx, method, path, query, header, body)
	if err != nil {
		cancel()
		return nil, nil, err
	}
	return resp, cancel, nil
}

// open is do without the timeout, for answers that go on.
func (t *transport) open(ctx context.Context, method, path string, query url.Values, header http.Header, body func() *requestBody) (*http.Response, error) {
	target := t.cfg.Host + path
	if len(query) > 0 {
		target += "?" + query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, target, nil)
	if err != nil {
		return nil, &RequestError{Method: method, Path: path, Err: err}
	}
	if body != nil {
		first := body()
		req.Body, req.ContentLength = first, int64(first.size)
		req.GetBody = func() (io.ReadCloser, error) { return body(), nil }
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", userAgent)
	req.Header.Set("X-API-Key", t.cfg.APIKey)
	req.Header.Set("Accept", "application/json")
	for k, v := range header {
		req.Header[k] = v
	}
	resp, err := t.http.Do(req)
	if err != nil {
		var ue *url.Error // its text repeats method and URL
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return nil, &RequestError{Method: method, Path: path, Err: err}
	}
	if resp.StatusCode/100 != 2 { // 409 lists the duplicates beside the error
		defer resp.Body.Close()
		return resp, readError(method, path, resp)
	}
	return resp, nil
}

// readError makes the *RequestError of an answer that is not 2xx, whatever its body is.
func readError(method, path string, resp *http.Response) *RequestError {
	e := &RequestError{
		Method: method, Path: path, StatusCode: resp.StatusCode,
		Code:       "http_" + strconv.Itoa(resp.StatusCode),
		Message:    http.StatusText(resp.StatusCode),
		RetryAfter: retryAfter(resp.Header.Get("Retry-After")),
	}
	raw, _ := io.ReadAll(io.LimitReader(resp.Body, maxError)) // what came of it is enough
	var body struct {
		Error struct {
			Code, Message string
			Details       json.RawMessage
		}
	}
	if json.Unmarshal(raw, &body) == nil && body.Error.Code != "" {
		e.Code, e.Message, e.Details = body.Error.Code, body.Error.Message, body.Error.Details
	}
	e.Err = &answerBody{raw}
	return e
}

// answerBody keeps the raw body of a refused request for those who know more about it.
type answerBody struct{ raw []byte }

func (b *answerBody) Error() string { return fmt.Sprintf("answer of %d bytes", len(b.raw)) }

// retryAfter reads seconds or an HTTP date (RFC 9110 §10.2.3).
func retryAfter(v string) time.Duration {
	v = strings.TrimSpace(v)
	if n, err := strconv.ParseFloat(v, 64); err == nil && n > 0 && n < 1e6 {
		return time.Duration(n * float64(time.Second))
	}
	if at, err := http.ParseTime(v); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}

// getJSON reads path into out, trying again as the configuration says.
func (t *transport) getJSON(ctx context.Context, path string, query url.Values, out any) error {
	for attempt := 1; ; attempt++ {
		err := t.getOnce(ctx, path, query, out)
		var re *RequestError
		if err == nil || !errors.As(err, &re) || !re.Retryable() || attempt > t.cfg.MaxRetries || ctx.Err() != nil {
			return err
		}
		wait, again := t.cfg.Retry.Next(attempt, re)
		if !again || !sleep(ctx, wait) {
			return err
		}
	}
}

func (t *transport) getOnce(ctx context.Context, path string, query url.Values, out any) error {
	resp, cancel, err := t.do(ctx, http.MethodGet, path, query, nil, nil)
	if err != nil {
		return err
	}
	defer cancel()
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return &RequestError{Method: http.MethodGet, Path: path, Err: err}
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("brokle: decode answer of GET %s: %w", path, err)
	}
	return nil
}

// sleep waits d, or returns false when ctx ends first.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
