package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// This file is what Langfuse's clients ask for beside the ingestion of telemetry, which is a wire format: at their
// start, for media, and to read back what they have sent (langfuse_read.go). What is not here answers 404, of
// which they tell and go on.

// langfuseBase is where their API stands.
const langfuseBase = "/api/public/"

// version is that of the API, as openapi.json says it.
const version = "0.1.0"

func langfuseRoutes() []route {
	get := func(path string, scope keyring.Scope, handle handler) route {
		return route{method: http.MethodGet, path: langfuseBase + path, scope: scope, anyParam: true, problem: withMessage, handle: handle}
	}
	return []route{
		get("health", "", langfuseHealth),
		get("projects", anyScope, langfuseProjects),
		{method: http.MethodPost, path: langfuseBase + "media", scope: keyring.ScopeIngest, anyParam: true, problem: withoutMedium, handle: langfuseMedia},
		get("traces/{id}", keyring.ScopeRead, langfuseTrace),
		get("v2/observations", keyring.ScopeRead, langfuseObservations),
		get("v3/scores", keyring.ScopeRead, langfuseScores),
	}
}

// langfuseError is an error in the words of those clients, beside ours.
type langfuseError struct {
	Message string         `json:"message"`
	Error   wire.ErrorBody `json:"error"`
}

func withMessage(p *problem) any { return langfuseError{p.message, p.body()} }

// problemOn is the form of errors on a path that no route says one for.
func problemOn(path string) func(*problem) any {
	if strings.HasPrefix(path, langfuseBase) {
		return withMessage
	}
	return nil
}

func langfuseHealth(context.Context, *Server, *call) (*answer, error) {
	return ok(&map[string]string{"status": "OK", "version": version}, nil)
}

// langfuseProjects answers with the project of the key, by which those clients check it.
func langfuseProjects(_ context.Context, _ *Server, c *call) (*answer, error) {
	type organization struct {
		ID   string `json:"id"`
		Name string `json:"name"`
	}
	type project struct {
		ID           string         `json:"id"`
		Name         string         `json:"name"`
		Organization organization   `json:"organization"`
		Metadata     map[string]any `json:"metadata"`
	}
	id := c.caller.Project
	return ok(&map[string][]project{"data": {{id, id, organization{id, id}, map[string]any{}}}}, nil)
}

const codeMediaNotKept = "media_not_kept"

// langfuseMedia refuses a medium: none are kept. The answer has the medium's id all the same, which older clients
// write in the place of the medium. It is no 5xx, which they would send again.
func langfuseMedia(_ context.Context, s *Server, c *call) (*answer, error) {
	const most = 64 << 10
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Now().Add(s.o.BodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, most))
	if err != nil {
		return nil, problemf(http.StatusBadRequest, codeIncompleteBody, "the body was not read: it has at most %d bytes", most)
	}
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{})
	c.bodyRead = true
	var medium struct {
		SHA256 string `json:"sha256Hash"` // in base64
	}
	sum := []byte{}
	if json.NewDecoder(bytes.NewReader(body)).Decode(&medium) == nil {
		sum, err = base64.StdEncoding.DecodeString(medium.SHA256)
	}
	if err != nil || len(sum) != 32 {
		return nil, problemf(http.StatusBadRequest, codeInvalidParameter, "the body needs sha256Hash, the SHA-256 of the medium in base64")
	}
	p := problemf(http.StatusNotFound, codeMediaNotKept, "this server keeps no media: what refers to this one is stored without it; "+
		"with LANGFUSE_MEDIA_UPLOAD_ENABLED=false Python clients since version 4 leave data URIs where they are, and these are kept")
	p.details = map[string]string{"media_id": base64.RawURLEncoding.EncodeToString(sum)[:22]}
	return nil, p
}

// withoutMedium is an error that tells the medium's id.
func withoutMedium(p *problem) any {
	details, _ := p.details.(map[string]string)
	return struct {
		langfuseError
		MediaID   string  `json:"mediaId,omitempty"`
		UploadURL *string `json:"uploadUrl"`
	}{langfuseError{p.message, p.body()}, details["media_id"], nil}
}
