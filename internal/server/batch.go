package server

import (
	"context"
	"errors"
	"mime"
	"net/http"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/ingest"
	"github.com/brokle-ai/brokle-go/internal/store"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// postBatch is POST /v1/telemetry/batch and its alias.
func postBatch(ctx context.Context, s *Server, c *call) (*answer, error) {
	body, hold, err := s.receive(c)
	defer hold.release()
	if err != nil {
		return nil, err
	}
	req, err := s.o.Limits.Decode(body)
	if err != nil {
		return nil, err
	}
	return s.submit(ctx, c, req, body)
}

// deprecation says since when the bulk endpoint is deprecated: 2025-08-01 (RFC 9745).
const deprecation = "@1754006400"

// postBulk is POST /api/v1/telemetry/bulk, kept for clients that have not moved.
func postBulk(ctx context.Context, s *Server, c *call) (*answer, error) {
	h := c.w.Header() // on errors too
	h.Set("Deprecation", deprecation)
	h.Set("Link", `</v1/telemetry/batch>; rel="successor-version"`)
	body, hold, err := s.receive(c)
	defer hold.release()
	if err != nil {
		return nil, err
	}
	req, err := s.o.Limits.DecodeBulk(c.caller.Project, body)
	if err != nil {
		return nil, err
	}
	return s.submit(ctx, c, req, body)
}

// receive admits a request and reads its body, in the order in which refusing
// costs least: by headers, by the state of the server, by size.
func (s *Server) receive(c *call) ([]byte, *hold, error) {
	hold := &hold{from: s.inFlight}
	if err := mediaType(c.r.Header.Get("Content-Type")); err != nil {
		return nil, hold, err
	}
	if err := s.o.Admit(); err != nil {
		return nil, hold, s.unavailable(err)
	}
	body, err := s.readBody(c, hold)
	return body, hold, err
}

// mediaType refuses what is not JSON. Absent is taken for JSON.
func mediaType(value string) error {
	if value == "" {
		return nil
	}
	name, params, err := mime.ParseMediaType(value)
	utf8 := params["charset"] == "" || strings.EqualFold(params["charset"], "utf-8") || strings.EqualFold(params["charset"], "utf8")
	if err != nil || !utf8 || name != "application/json" && !(strings.HasPrefix(name, "application/") && strings.HasSuffix(name, "+json")) {
		return problemf(http.StatusUnsupportedMediaType, codeUnsupportedMedia, "Content-Type must be application/json in UTF-8")
	}
	return nil
}

// submit spends the key's rate and hands the request to ingest. From here on
// the write does not depend on the client: ingest detaches the context.
func (s *Server) submit(ctx context.Context, c *call, req *ingest.Request, body []byte) (*answer, error) {
	if err := s.rates.take(c.caller.KeyID, len(req.Events), s.o.Now()); err != nil {
		return nil, err
	}
	environment := c.r.Header.Get("X-Environment")
	if req.AsyncMode {
		res, err := s.o.Ingest.SubmitAsync(ctx, c.caller.Project, environment, req, body)
		if err != nil {
			return nil, s.submitProblem(res, err)
		}
		return &answer{status: http.StatusAccepted, body: res, header: http.Header{"Location": {"/v1/telemetry/jobs/" + res.JobID}}}, nil
	}
	res, err := s.o.Ingest.Submit(ctx, c.caller.Project, environment, req)
	if req.Degraded { // on errors too
		c.w.Header().Set(headerDedup, "local")
	}
	if err != nil {
		return nil, s.submitProblem(res, err)
	}
	return &answer{status: http.StatusOK, body: res}, nil
}

// headerDedup says that a batch was compared with this node's events only, because
// the nodes could not ask one another.
const headerDedup = "Brokle-Dedup"

// submitProblem is the answer for a batch that was not stored. Whatever failed
// below left nothing behind (the Log's contract), so the honest answer is 503:
// the same batch may be sent again.
func (s *Server) submitProblem(res *wire.BatchResponse, err error) error {
	var request *ingest.RequestError
	switch {
	case errors.As(err, &request):
		return err
	case errors.Is(err, store.ErrDuplicate):
		p := problemf(http.StatusConflict, codeDuplicates,
			"the batch holds events that were accepted before and asked to fail then; nothing of it was kept")
		p.batch = res
		return p
	}
	return s.unavailable(err)
}
