package brokle

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"sync/atomic"
)

// postBatch sends an encoded BatchRequest. With a 409 it returns both the
// answer, which lists the duplicates, and the error. reusable false means
// that the HTTP client may still be reading body.
func (t *transport) postBatch(ctx context.Context, body []byte) (ans *BatchResponse, reusable bool, err error) {
	wire, encoding, release := t.compress.encode(body)
	resp, done, err := t.post(ctx, wire, encoding)
	if re, ok := asRequestError(err); ok && re.StatusCode == http.StatusUnsupportedMediaType && encoding != "" {
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
		if re, ok := asRequestError(err); ok && re.StatusCode == http.StatusConflict {
			return conflictAnswer(re), reusable, err
		}
		return nil, reusable, err
	}
	ans, err = decodeAnswer(resp)
	return ans, reusable, err
}

// post sends one request and reads the whole answer.
func (t *transport) post(ctx context.Context, body []byte, encoding string) ([]byte, *bodyState, error) {
	var header http.Header
	if encoding != "" {
		header = http.Header{"Content-Encoding": {encoding}}
	}
	state := &bodyState{}
	resp, cancel, err := t.do(ctx, http.MethodPost, pathBatch, nil, header, state.reader(body))
	if err != nil {
		return nil, state, err
	}
	defer cancel()
	defer resp.Body.Close()
	t.compress.learn(resp.Header.Get("Accept-Encoding"))
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil { // the server may have stored it; the ids make a second try safe
		return nil, state, &RequestError{Method: http.MethodPost, Path: pathBatch, Err: err}
	}
	return raw, state, nil
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

func conflictAnswer(re *RequestError) *BatchResponse {
	var body *answerBody
	if !errors.As(re.Err, &body) {
		return nil
	}
	ans, err := decodeAnswer(body.raw)
	if err != nil {
		return nil
	}
	return ans
}

// decodeAnswer reads the body of a 2xx tolerantly: the fields flat or under "data".
func decodeAnswer(raw []byte) (*BatchResponse, error) {
	var body struct {
		BatchResponse
		Data *BatchResponse `json:"data"`
	}
	if err := json.Unmarshal(raw, &body); err != nil {
		return nil, fmt.Errorf("brokle: decode answer: %w", err)
	}
	if body.Data != nil && body.BatchID == "" {
		return body.Data, nil
	}
	return &body.BatchResponse, nil
}

// encode is json.Marshal without HTML escaping: the text stays as people wrote it, and shorter.
func encode(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(buf.Bytes(), []byte("\n")), nil
}
