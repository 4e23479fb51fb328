package transport

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

// PostBatch sends an encoded BatchRequest. With a 409 it returns both the
// answer, which lists the duplicates, and the error. reusable false means
// that the HTTP client may still be reading body.
func (t *Transport) PostBatch(ctx context.Context, body []byte) (ans *wire.BatchResponse, reusable bool, err error) {
	sent, encoding, release := t.compress.encode(body)
	resp, done, err := t.post(ctx, sent, encoding)
	if re, ok := errors.AsType[*RequestError](err); ok && re.StatusCode == http.StatusUnsupportedMediaType && encoding != "" {
		t.compress.forget()
		release = func() {}
		resp, done, err = t.post(ctx, body, "")
		encoding = ""
	}
	reusable = done.closed()
	if reusable {
		release()
	}
	reusable = reusable || encoding != "" // it was the compressed copy that was sent
	if err != nil {
		if re, ok := errors.AsType[*RequestError](err); ok && re.StatusCode == http.StatusConflict {
			return conflictAnswer(re), reusable, err
		}
		return nil, reusable, err
	}
	ans, err = decodeAnswer(resp)
	return ans, reusable, err
}

// post sends body once. When the answer breaks off the server may have stored it; the ids make a second try safe.
func (t *Transport) post(ctx context.Context, body []byte, encoding string) ([]byte, *bodyState, error) {
	state := &bodyState{}
	r := request{method: http.MethodPost, path: PathBatch, body: state.reader(body)}
	if encoding != "" {
		r.header = http.Header{"Content-Encoding": {encoding}}
	}
	raw, header, err := t.do(ctx, r)
	t.compress.learn(header.Get("Accept-Encoding"))
	return raw, state, err
}

// bodyState knows whether anybody still reads a request's body: an HTTP
// transport may, after it has returned (see http.RoundTripper).
type bodyState struct{ open atomic.Int32 }

func (s *bodyState) closed() bool { return s.open.Load() == 0 }

// reader opens the body, once for every try that the HTTP client makes of it.
func (s *bodyState) reader(b []byte) func() *requestBody {
	return func() *requestBody {
		s.open.Add(1)
		r := &requestBody{state: s, size: len(b)}
		r.Reset(b)
		return r
	}
}

type requestBody struct {
	bytes.Reader
	state *bodyState
	size  int
	once  sync.Once
}

func (r *requestBody) Close() error {
	r.once.Do(func() { r.state.open.Add(-1) })
	return nil
}

func conflictAnswer(re *RequestError) *wire.BatchResponse {
	body, ok := errors.AsType[*answerBody](re.Err)
	if !ok {
		return nil
	}
	ans, err := decodeAnswer(body.raw)
	if err != nil {
		return nil
	}
	return ans
}

// decodeAnswer reads the body of a 2xx tolerantly: the fields flat or under "data".
func decodeAnswer(raw []byte) (*wire.BatchResponse, error) {
	var body struct {
		wire.BatchResponse
		Data *wire.BatchResponse `json:"data"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil, fmt.Errorf("brokle: decode answer: %w", err)
	}
	if body.Data != nil && body.BatchID == "" {
		return body.Data, nil
	}
	return &body.BatchResponse, nil
}
