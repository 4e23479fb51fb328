package server

import (
	"net/http"
	"testing"
)

// A client of an early generation asks first whether its key is good, with an empty body or {}.
func TestValidateKey(t *testing.T) {
	t.Parallel()
	h := open(t, setup{})
	type answer struct {
		Success bool
		Data    struct {
			Environment    string
			OrganizationID string `json:"organization_id"`
			UserID         string `json:"user_id"`
			Tier           string
			Permissions    map[string]any
		}
		Error struct{ Code, Message string }
	}
	for _, scope := range []string{"ingest", "read", "admin"} {
		key := h.newKey("one", scope)
		for _, body := range [][]byte{nil, {}, []byte(`{}`)} {
			rep := h.send("POST", "/v1/auth/validate-key", body, "X-API-Key", "", "X-API-Key", key)
			got := decoded[answer](t, rep)
			if rep.status != http.StatusOK || !got.Success || got.Data.OrganizationID != "one" || got.Data.UserID == "" || got.Data.Tier == "" {
				t.Errorf("scope %s, body %q: %d %s", scope, body, rep.status, rep.body)
			}
			if got.Data.Environment != "default" || len(got.Data.Permissions) != 1 || got.Data.Permissions[scope] != true {
				t.Errorf("scope %s: %s", scope, rep.body)
			}
		}
	}
	rep := h.send("POST", "/v1/auth/validate-key", []byte(`{}`), "X-Environment", "staging")
	if got := decoded[answer](t, rep); got.Data.Environment != "staging" {
		t.Errorf("with an environment: %s", rep.body)
	}
	rep = h.send("POST", "/v1/auth/validate-key", []byte(`{}`), "X-Environment", "<b>No such one</b>")
	if got := decoded[answer](t, rep); rep.status != http.StatusOK || got.Data.Environment != "default" {
		t.Errorf("with a bad environment: %d %s", rep.status, rep.body)
	}
	for _, key := range []string{"", "bk_0123456789abcdef", "nonsense"} {
		rep := h.send("POST", "/v1/auth/validate-key", []byte(`{}`), "X-API-Key", "", "X-API-Key", key)
		if got := decoded[answer](t, rep); rep.status != http.StatusUnauthorized || got.Success || got.Error.Code != "unauthorized" || got.Error.Message == "" {
			t.Errorf("key %q: %d %s", key, rep.status, rep.body)
		}
	}
}
