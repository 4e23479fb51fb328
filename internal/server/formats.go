package server

import (
	"context"
	"errors"
	"net/http"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// formatRoutes are the endpoints of the formats.
func formatRoutes(t wireformat.Table) []route {
	var routes []route
	for _, f := range t {
		for _, path := range f.Paths() {
			routes = append(routes, route{method: http.MethodPost, path: path, scope: keyring.ScopeIngest, anyParam: true, format: f, handle: take(f)})
		}
	}
	return routes
}

// take takes telemetry in a format, from the request's headers to what became of it.
func take(f wireformat.Format) handler {
	return func(ctx context.Context, s *Server, c *call) (*answer, error) {
		in := &c.incoming
		in.Project, in.Limits = c.caller.Project, s.o.Limits
		hold := &hold{from: s.inFlight}
		defer hold.release()
		body, err := s.receive(c, f, hold)
		if err != nil {
			return nil, err
		}
		in.Body = body.data
		made := &made{s: s, hold: hold}
		in.Room = made.take
		req, err := s.decodeRequest(f, in)
		if err == nil {
			err = made.err
		}
		if err != nil {
			return nil, err
		}
		req.KeyID = c.caller.KeyID
		if err := s.rates.take(c.caller.KeyID, len(req.Events), s.o.Now()); err != nil {
			return nil, err
		}
		// From here on the write does not depend on the client: ingest detaches the context.
		var res *wire.BatchResponse
		if req.Async {
			res, err = s.o.Ingest.SubmitAsync(ctx, in.Project, f.Name(), req, in.Body)
		} else {
			res, err = s.o.Ingest.Submit(ctx, in.Project, req)
		}
		if req.Degraded { // on errors too
			c.w.Header().Set(headerDedup, "local")
		}
		if err != nil {
			return nil, s.submitProblem(res, err)
		}
		a, err := formatted(f.Answer(in, res))
		if !req.Async { // all of it is in the Log, and nothing in the body's memory: see wireformat.Format
			in.Body = nil
			body.drop(&s.scratch, hold)
		}
		return a, err
	}
}

// decodeRequest has a format read its body. Few do that at once: what only decoding needs is memory that
// no body accounts for.
func (s *Server) decodeRequest(f wireformat.Format, in *wireformat.Incoming) (*ingest.Request, error) {
	s.decoders.slots <- struct{}{}
	defer func() { <-s.decoders.slots }()
	return f.Decode(in)
}

// made counts what is made of a request with its body. It may be twice as much as a body may have, since
// what a format writes anew is longer, but no more than all requests may hold.
type made struct {
	s     *Server
	hold  *hold
	bytes int64
	most  int64
	err   error // the first, which refuses the request
}

func (m *made) take(n int) error {
	if m.most == 0 {
		m.most = min(2*m.s.o.MaxDecodedBytes, m.s.o.MaxInFlightBytes-m.hold.bytes.Load())
	}
	if m.err != nil {
		return m.err
	}
	if m.bytes += int64(n); m.bytes > m.most {
		m.err = problemf(http.StatusRequestEntityTooLarge, codeDecodedTooLarge,
			"what is in the body becomes more than %d bytes, each of them with what it stands under: send fewer at once", m.most)
		return m.err
	}
	if err := m.hold.take(int64(n)); err != nil {
		m.err = err
	}
	return m.err
}

// headerDedup says that a batch was compared with this node's events only, because
// the nodes could not ask one another.
const headerDedup = "Brokle-Dedup"

// receive admits a request and reads its body, in the order in which refusing
// costs least: by headers, by the state of the server, by size.
func (s *Server) receive(c *call, f wireformat.Format, hold *hold) (filled, error) {
	if must := f.Accepts(c.r.Header); must != "" {
		return filled{}, problemf(http.StatusUnsupportedMediaType, codeUnsupportedMedia, "Content-Type must be %s", must)
	}
	if err := s.o.Admit(); err != nil {
		return filled{}, s.unavailable(err)
	}
	return s.readBody(c, hold)
}

// submitProblem is the answer for a batch that was not stored. Whatever failed
// below left nothing behind (the Log's contract), so the honest answer is 503:
// the same batch may be sent again.
func (s *Server) submitProblem(res *wire.BatchResponse, err error) error {
	if !errors.Is(err, store.ErrDuplicate) {
		return s.unavailable(err)
	}
	p := problemf(http.StatusConflict, codeDuplicates,
		"the batch holds events that were accepted before and asked to fail then; nothing of it was kept")
	p.batch = res
	return p
}

func formatted(a *wireformat.Answer, err error) (*answer, error) {
	if err != nil {
		return nil, err
	}
	return &answer{status: a.Status, header: a.Header, media: a.ContentType, bytes: a.Body}, nil
}
