package modelcall

import (
	"io"
	"net/http"
)

// watch puts a copier before the body of req, which is a copy of the program's request.
func (c *call) watch(req *http.Request) {
	if req.Body == nil || req.Body == http.NoBody || req.Header.Get("Content-Encoding") != "" {
		return
	}
	req.Body = &requestBody{req.Body, c}
	c.sent.expect(req.ContentLength)
	if again := req.GetBody; again != nil { // for redirects, and connections that broke
		req.GetBody = func() (io.ReadCloser, error) {
			body, err := again()
			if err != nil {
				return body, err
			}
			c.guarded(func() { c.sent = capture{} })
			return &requestBody{body, c}, nil
		}
	}
}

// requestBody passes a request's body on. It may be read while the answer comes already.
type requestBody struct {
	io.ReadCloser
	c *call
}

func (b *requestBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.c.guarded(func() {
		if b.c.began {
			return
		}
		if b.c.sent.take(p[:n]); err == io.EOF {
			b.c.begin()
		}
	})
	return n, err
}

// answerBody passes an answer's body on.
type answerBody struct {
	io.ReadCloser
	c *call
}

func (b *answerBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.c.take(p[:n], err)
	return n, err
}

func (b *answerBody) Close() error {
	err := b.ReadCloser.Close()
	b.c.left(errLeft)
	return err
}
