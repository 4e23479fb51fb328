package transport

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// Options say where and how requests are sent. All fields but HTTPClient are needed.
type Options struct {
	Host      string // base URL, without a slash at its end
	APIKey    string
	UserAgent string
	Timeout   time.Duration // of one request with its answer
	// Compression of batches: one of the constants Compression….
	Compression string
	// MaxRetries and Retry decide how often and when a read is tried again.
	MaxRetries int
	Retry      RetryPolicy
	// HTTPClient sends the requests; nil is one of this Transport's own.
	HTTPClient *http.Client
}

// Transport speaks the HTTP API. It is safe for concurrent use.
type Transport struct {
	opts      Options
	http      *http.Client
	compress  *compressor
	closeIdle func()
}

const (
	// PathBatch takes batches.
	PathBatch = "/v1/telemetry/batch"
	// MaxSenders is the most batches that may be under way at once.
	MaxSenders = 4
	// maxAnswer bounds what is read of one answer: a full page of traces fits many times.
	maxAnswer = 256 << 20
	maxError  = 1 << 20
)

// New makes a Transport; it opens no connection before the first request.
func New(opts Options) *Transport {
	t := &Transport{opts: opts, compress: newCompressor(opts.Compression), closeIdle: func() {}}
	client := http.Client{}
	if opts.HTTPClient != nil {
		client = *opts.HTTPClient
	} else {
		rt := http.DefaultTransport.(*http.Transport).Clone()
		rt.MaxIdleConnsPerHost = MaxSenders + 4
		rt.DisableCompression = false
		client.Transport, t.closeIdle = rt, rt.CloseIdleConnections
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.http = &client
	return t
}

// Close lets idle connections go.
func (t *Transport) Close() { t.closeIdle() }

// request is one of the API's.
type request struct {
	method, path string
	query        url.Values
	header       http.Header
	body         func() *requestBody // nil without one
}

// failed is the error of r for which no answer came.
func (r *request) failed(err error) *RequestError {
	return &RequestError{Method: r.method, Path: r.path, Err: err}
}

// do sends r and reads the whole answer, or returns a *RequestError for no answer or one that is not 2xx.
func (t *Transport) do(ctx context.Context, r request) ([]byte, http.Header, error) {
	ctx, cancel := context.WithTimeout(ctx, t.opts.Timeout)
	defer cancel()
	resp, err := t.open(ctx, r)
	if err != nil {
		return nil, nil, err
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, resp.Header, r.failed(err)
	}
	return raw, resp.Header, nil
}

// open is do for answers that go on: without a timeout, and with the body unread.
func (t *Transport) open(ctx context.Context, r request) (*http.Response, error) {
	target := t.opts.Host + r.path
	if len(r.query) > 0 {
		target += "?" + r.query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, r.method, target, nil)
	if err != nil {
		return nil, r.failed(err)
	}
	if r.body != nil {
		first := r.body()
		req.Body, req.ContentLength = first, int64(first.size)
		req.GetBody = func() (io.ReadCloser, error) { return r.body(), nil }
		req.Header.Set("Content-Type", "application/json")
	}
	req.Header.Set("User-Agent", t.opts.UserAgent)
	req.Header.Set("X-API-Key", t.opts.APIKey)
	req.Header.Set("Accept", "application/json")
	maps.Copy(req.Header, r.header)
	resp, err := t.http.Do(req)
	if err != nil {
		if ue, ok := errors.AsType[*url.Error](err); ok { // its text repeats method and URL
			err = ue.Err
		}
		return nil, r.failed(err)
	}
	if resp.StatusCode/100 != 2 { // 409 lists the duplicates beside the error
		defer resp.Body.Close()
		return nil, readError(&r, resp)
	}
	return resp, nil
}

// Open begins to read an answer that goes on for as long as ctx does. The caller closes its body.
func (t *Transport) Open(ctx context.Context, path string, query url.Values, header http.Header) (*http.Response, error) {
	return t.open(ctx, request{method: http.MethodGet, path: path, query: query, header: header})
}

// Get reads path into out, trying again as the options say.
func (t *Transport) Get(ctx context.Context, path string, query url.Values, out any) error {
	for attempt := 1; ; attempt++ {
		err := t.getOnce(ctx, path, query, out)
		re, ok := errors.AsType[*RequestError](err)
		if !ok || !re.Retryable() || attempt > t.opts.MaxRetries || ctx.Err() != nil {
			return err
		}
		wait, again := t.opts.Retry.Next(attempt, re)
		if !again || clock.Sleep(ctx, wait) != nil {
			return err
		}
	}
}

func (t *Transport) getOnce(ctx context.Context, path string, query url.Values, out any) error {
	raw, _, err := t.do(ctx, request{method: http.MethodGet, path: path, query: query})
	if err != nil {
		return err
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("brokle: decode answer of GET %s: %w", path, err)
	}
	return nil
}
