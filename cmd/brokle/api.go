package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
)

const (
	callTimeout = 60 * time.Second
	callAnswer  = 16 << 20 // bytes of an answer that are read
)

// call makes a request that the SDK has no method for, because only people make
// it, and reads a 2xx into out. The error is a *brokle.RequestError, as the SDK's are.
func call(ctx context.Context, c *cli.Command, method, path string, out any) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	answer, err := ask(ctx, c, method, path)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Close() }()
	body, err := io.ReadAll(io.LimitReader(answer, callAnswer))
	if err != nil {
		return &brokle.RequestError{Method: method, Path: path, Err: err}
	}
	if err := json.Unmarshal(body, out); err != nil {
		return fmt.Errorf("read the answer of %s %s: %w", method, path, err)
	}
	return nil
}

// ask makes a request and returns the body of a 2xx, which the caller closes. Any other answer is an error.
func ask(ctx context.Context, c *cli.Command, method, path string) (io.ReadCloser, error) {
	return request(ctx, c, method, path, nil)
}

// request is ask with a body of JSON.
func request(ctx context.Context, c *cli.Command, method, path string, send io.Reader) (io.ReadCloser, error) {
	return requestOf(ctx, c, method, path, "application/json", send)
}

// requestOf is request with a body of another media type.
func requestOf(ctx context.Context, c *cli.Command, method, path, media string, send io.Reader) (io.ReadCloser, error) {
	body, _, err := requestAs(ctx, c, method, path, media, send, "")
	return body, err
}

// requestAs is requestOf of an answer of the media type accept, with its header; "" is whatever there is.
func requestAs(ctx context.Context, c *cli.Command, method, path, media string, send io.Reader, accept string) (io.ReadCloser, http.Header, error) {
	if c.String("api-key") == "" {
		_, err := newClient(c) // says what to do
		return nil, nil, err
	}
	failed := func(err error) error {
		var ue *url.Error // its text repeats method and URL
		if errors.As(err, &ue) {
			err = ue.Err
		}
		return &brokle.RequestError{Method: method, Path: path, Err: err}
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimRight(c.String("host"), "/")+path, send)
	if err != nil {
		return nil, nil, failed(err)
	}
	req.Header.Set("X-API-Key", c.String("api-key"))
	if accept != "" {
		req.Header.Set("Accept", accept)
	}
	if send != nil {
		req.Header.Set("Content-Type", media)
	}
	client, err := httpClientOf(c)
	if err != nil {
		return nil, nil, err
	}
	if client == nil {
		client = &http.Client{}
	}
	// A redirect would carry the key to wherever it points.
	client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	resp, err := client.Do(req)
	if err != nil {
		return nil, nil, failed(err)
	}
	if resp.StatusCode/100 == 2 {
		return resp.Body, resp.Header, nil
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(io.LimitReader(resp.Body, callAnswer))
	if err != nil {
		return nil, nil, failed(err)
	}
	return nil, nil, errorOf(method, path, resp.StatusCode, body)
}

func errorOf(method, path string, status int, body []byte) error {
	e := &brokle.RequestError{Method: method, Path: path, StatusCode: status,
		Code: fmt.Sprintf("http_%d", status), Message: http.StatusText(status)}
	var answer struct{ Error brokle.ErrorBody }
	if json.Unmarshal(body, &answer) == nil && answer.Error.Code != "" {
		e.Code, e.Message = answer.Error.Code, answer.Error.Message
		if lines, ok := answer.Error.Details.([]any); ok { // what is wrong, one by one
			for i, line := range lines {
				if i > 0 || !strings.Contains(e.Message, fmt.Sprint(line)) { // the message has the first one
					e.Message += fmt.Sprintf("\n  %v", line)
				}
			}
		}
	}
	return e
}
