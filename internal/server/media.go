package server

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/medium"
	"github.com/brokle-ai/brokle-go/internal/store"
)

// mediumPolicy is the Content-Security-Policy of a medium: whatever its bytes are, opened by themselves they load and run nothing.
const mediumPolicy = "default-src 'none'; sandbox"

// mediumCache lets a browser keep a medium: other bytes have another address. It is for one who has the key alone.
const mediumCache = "private, max-age=31536000, immutable"

// getMedium answers with the bytes that were taken out of a payload of the project.
func getMedium(_ context.Context, s *Server, c *call) (*answer, error) {
	hash := strings.TrimPrefix(c.r.PathValue("id"), "sha256-")
	if s.o.Media == nil || !medium.ValidHash(hash) {
		return nil, entity.ErrNotFound
	}
	f, err := s.o.Media.OpenMedium(c.caller.Project, hash)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, entity.ErrNotFound
	}
	if err != nil {
		return nil, fmt.Errorf("read medium: %w", err)
	}
	h, err := mediumHeader(f)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("read medium: %w", err), f.Close())
	}
	return &answer{status: http.StatusOK, header: h, file: f}, nil
}

// mediumHeader says how a browser may take the bytes: by what they are, never by what somebody said of them.
func mediumHeader(f *store.MediumFile) (http.Header, error) {
	head := make([]byte, 512)
	n, err := f.ReadAt(head, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return nil, err
	}
	kind, inline := medium.TypeOf(head[:n])
	disposition := "attachment"
	if inline {
		disposition = "inline"
	}
	return http.Header{
		"Content-Type":                 {kind},
		"Content-Disposition":          {disposition}, // without a name, so that who saves it may give one
		"Content-Security-Policy":      {mediumPolicy},
		"Cross-Origin-Resource-Policy": {"same-origin"},
		"Etag":                         {`"` + f.Hash + `"`},
		"Cache-Control":                {mediumCache},
		"Vary":                         {"Authorization, Cookie, X-Api-Key"},
	}, nil
}

// fileBytes are the bytes of an answer that are read where they are, piece by piece, and may be asked for in part.
type fileBytes interface {
	io.ReadSeeker
	io.Closer
}

// sendFile has net/http answer conditions and ranges (RFC 9110 sections 13 and 14).
func (a *answerWriter) sendFile() {
	defer a.ans.file.Close() //nolint:errcheck // only read
	a.begun = true
	h := a.c.w.Header()
	for name, values := range a.ans.header {
		h[name] = values
	}
	h.Set("X-Content-Type-Options", "nosniff")
	out := &pacedWriter{ResponseWriter: a.c.w, a: a, status: http.StatusOK}
	http.ServeContent(out, a.c.r, "", time.Time{}, a.ans.file)
	a.ans.status, a.err = out.status, out.err
}

// pacedWriter gives the client of an answer time for each piece, and notes what went out.
type pacedWriter struct {
	http.ResponseWriter
	a      *answerWriter
	status int
	err    error
}

func (w *pacedWriter) WriteHeader(status int) {
	w.status = status
	w.a.deadline()
	w.ResponseWriter.WriteHeader(status)
}

func (w *pacedWriter) Write(b []byte) (n int, err error) {
	w.a.deadline()
	if n, err = w.ResponseWriter.Write(b); err != nil {
		w.err = err
	}
	return n, err
}
