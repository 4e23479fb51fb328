package server

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/brokle-ai/brokle-go/internal/keyring"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// maxKeyBody bounds the request for a key, in bytes.
const maxKeyBody = 4 << 10

// keyRow is a key as the API shows it: never its secret, never its hash.
type keyRow struct {
	ID        string          `json:"id"`
	Name      string          `json:"name"`
	Prefix    string          `json:"prefix"` // the secret's beginning, with "bk_"
	Scopes    []keyring.Scope `json:"scopes"`
	CreatedAt time.Time       `json:"created_at"`
	RevokedAt *time.Time      `json:"revoked_at"`
}

// newKeyRow is a key that was just made, with its secret: this once.
type newKeyRow struct {
	keyRow
	Key string `json:"key"`
}

func rowOf(k *keyring.Key) keyRow {
	return keyRow{ID: k.ID, Name: k.Name, Prefix: "bk_" + k.Prefix, Scopes: k.Scopes, CreatedAt: k.CreatedAt, RevokedAt: k.RevokedAt}
}

// listKeys shows the keys of the caller's project, revoked ones too, oldest first.
func listKeys(_ context.Context, s *Server, c *call) (*answer, error) {
	page := wire.Page[keyRow]{Data: []keyRow{}}
	for _, key := range s.o.Keys.List() {
		if key.Project == c.caller.Project {
			page.Data = append(page.Data, rowOf(&key))
		}
	}
	return ok(&page, nil)
}

// postKey makes a key of the caller's project.
func postKey(_ context.Context, s *Server, c *call) (*answer, error) {
	var in struct {
		Name   string          `json:"name"`
		Scopes []keyring.Scope `json:"scopes"`
	}
	if err := s.readSmall(c, &in); err != nil {
		return nil, err
	}
	secret, key, err := s.o.Keys.Create(c.caller.Project, in.Name, in.Scopes)
	if errors.Is(err, keyring.ErrInvalid) {
		return nil, problemf(http.StatusBadRequest, codeInvalidParameter,
			`the body is {"name": "…", "scopes": […]}: a name of at most 100 printable characters, and one or more of ingest, read, admin`)
	}
	if err != nil {
		return nil, err
	}
	s.o.Logger.Info("a key was made", "project", key.Project, "key_id", key.ID, "scopes", key.Scopes, "by", c.caller.KeyID)
	return &answer{status: http.StatusCreated, body: &newKeyRow{keyRow: rowOf(&key), Key: secret}}, nil
}

// readSmall decodes a body of one JSON object that has no other members than v.
func (s *Server) readSmall(c *call, v any) error {
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Now().Add(s.o.BodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxKeyBody))
	if err != nil {
		return problemf(http.StatusBadRequest, codeIncompleteBody, "the body was not read: it has at most %d bytes", maxKeyBody)
	}
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Time{})
	c.bodyRead = true
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if d.Decode(v) != nil || d.More() {
		return problemf(http.StatusBadRequest, codeInvalidParameter, `the body is {"name": "…", "scopes": ["ingest"]} and nothing else`)
	}
	return nil
}

// deleteKey revokes a key of the caller's project, at once. A revoked one stays so.
func deleteKey(_ context.Context, s *Server, c *call) (*answer, error) {
	id, err := pathID(c)
	if err != nil {
		return nil, err
	}
	err = s.o.Keys.RevokeOf(c.caller.Project, id)
	switch {
	case errors.Is(err, keyring.ErrUnknownKey):
		return nil, problemf(http.StatusNotFound, codeNotFound, "the project of this key has no key of this id")
	case errors.Is(err, keyring.ErrLastAdmin):
		return nil, problemf(http.StatusConflict, codeLastAdminKey, "this is the project's only key with the scope admin: make another one first")
	case err != nil:
		return nil, err
	}
	s.o.Logger.Info("a key was revoked", "project", c.caller.Project, "key_id", id, "by", c.caller.KeyID)
	return &answer{status: http.StatusNoContent}, nil
}

// projectRow is a project as its own keys see it.
type projectRow struct {
	Name       string    `json:"name"`
	ActiveKeys int       `json:"active_keys"`
	CreatedAt  time.Time `json:"created_at"` // of its first key
}

// listProjects shows the caller's project: a key is never told of another one.
func listProjects(_ context.Context, s *Server, c *call) (*answer, error) {
	row := projectRow{Name: c.caller.Project}
	for _, key := range s.o.Keys.List() {
		if key.Project != row.Name {
			continue
		}
		if row.CreatedAt.IsZero() {
			row.CreatedAt = key.CreatedAt
		}
		if key.RevokedAt == nil {
			row.ActiveKeys++
		}
	}
	return ok(&wire.Page[projectRow]{Data: []projectRow{row}}, nil)
}
