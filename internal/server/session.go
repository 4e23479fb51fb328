package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/keyring"
)

// sessionCookie is out of reach of scripts, and browsers send it to requests
// from the server's own pages only.
const sessionCookie = "brokle_session"

// maxSignIn bounds the body of a sign-in, in bytes.
const maxSignIn = 4 << 10

// sessionInfo says who is signed in. It holds no secret.
type sessionInfo struct {
	Project   string          `json:"project"`
	KeyID     string          `json:"key_id"`
	KeyName   string          `json:"key_name"`
	Scopes    []keyring.Scope `json:"scopes"`
	ExpiresAt time.Time       `json:"expires_at"`
}

// sessionLink is a link that signs in once.
type sessionLink struct {
	Path      string    `json:"path"` // below the server's URL; the token is in the fragment, which no log sees
	ExpiresAt time.Time `json:"expires_at"`
}

// Link returns the path of a link that signs in to the web page as the key,
// once, within ten minutes. ok is false when the key is unknown or revoked.
func (s *Server) Link(secret string) (path string, ok bool) {
	caller, ok := s.o.Keys.Lookup(secret)
	if !ok {
		return "", false
	}
	return linkPath(s.sessions.link(caller.KeyID)), true
}

func linkPath(token string) string { return "/#token=" + token }

func sessionToken(r *http.Request) string {
	c, err := r.Cookie(sessionCookie)
	if err != nil {
		return ""
	}
	return c.Value
}

func signedOut() error {
	return problemf(http.StatusUnauthorized, codeUnauthorized, "there is no session, or it has ended: sign in again")
}

// authenticateSession is authenticate for a browser: the session stands for its
// key, in requests of the server's own pages.
func (s *Server) authenticateSession(c *call, token string, scope keyring.Scope) error {
	if err := sameOrigin(c.r); err != nil {
		return err
	}
	key, _, ok := s.sessionKey(token)
	if !ok {
		return signedOut()
	}
	c.caller, c.session = keyring.Caller{Project: key.Project, KeyID: key.ID, Scopes: key.Scopes}, token
	return allowed(c.caller, scope)
}

// sessionKey finds the key of a session. A revoked key ends its sessions.
func (s *Server) sessionKey(token string) (keyring.Key, time.Time, bool) {
	id, ends, ok := s.sessions.use(token)
	if !ok {
		return keyring.Key{}, time.Time{}, false
	}
	key, ok := s.o.Keys.Active(id)
	if !ok {
		s.sessions.end(token)
	}
	return key, ends, ok
}

// overTLS says whether the browser came by https, as far as the server or its proxy knows.
func overTLS(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// sameOrigin refuses what another site makes a browser send. What can change
// something must prove where it comes from (Fetch Metadata, or Origin as in RFC
// 6454 §7); for what only reads it is enough not to come from elsewhere.
func sameOrigin(r *http.Request) error {
	site, origin := r.Header.Get("Sec-Fetch-Site"), r.Header.Get("Origin")
	ok := site == "" || site == "same-origin" || site == "none"
	if origin != "" {
		u, err := url.Parse(origin)
		ok = ok && err == nil && u.Host != "" && strings.EqualFold(u.Host, r.Host) && (u.Scheme == "https" || u.Scheme == "http" && r.TLS == nil)
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		ok = ok && (site == "same-origin" || origin != "")
	}
	if !ok {
		return problemf(http.StatusForbidden, codeForbidden, "a session is for requests of this server's own pages")
	}
	return nil
}

// postSession signs in with {"key": "bk_…"} or with the {"token": "…"} of a link.
func postSession(_ context.Context, s *Server, c *call) (*answer, error) {
	if err := sameOrigin(c.r); err != nil {
		return nil, err
	}
	var in struct{ Key, Token string }
	_ = http.NewResponseController(c.w).SetReadDeadline(time.Now().Add(s.o.BodyTimeout))
	body, err := io.ReadAll(http.MaxBytesReader(c.w, c.r.Body, maxSignIn))
	if err != nil {
		return nil, problemf(http.StatusBadRequest, codeIncompleteBody, "the body was not read: it has at most %d bytes", maxSignIn)
	}
	if json.Unmarshal(body, &in) != nil || (in.Key == "") == (in.Token == "") {
		return nil, problemf(http.StatusBadRequest, codeInvalidParameter, `the body is {"key": "bk_…"} or {"token": "…"}`)
	}
	keyID, err := s.whoSignsIn(c.r, in.Key, in.Token)
	if err != nil {
		return nil, err
	}
	if old := sessionToken(c.r); old != "" {
		s.sessions.end(old)
	}
	token := s.sessions.start(keyID)
	key, ends, ok := s.sessionKey(token)
	if !ok {
		return nil, signedOut()
	}
	return &answer{status: http.StatusOK, body: infoOf(key, ends), header: setCookie(c.r, token, 0)}, nil
}

func (s *Server) whoSignsIn(r *http.Request, secret, token string) (keyID string, err error) {
	if token != "" {
		keyID, ok := s.sessions.redeem(token)
		if !ok {
			return "", s.failed(clientAddr(r), s.o.Now(), fmt.Sprintf("the link was used, or is older than %v: ask for another, or sign in with a key", linkLife))
		}
		return keyID, nil
	}
	caller, err := s.lookup(r, strings.TrimSpace(secret))
	switch {
	case err != nil:
		return "", err
	case !caller.Has(keyring.ScopeRead):
		return "", problemf(http.StatusForbidden, codeForbidden, "the key lacks the scope %q, which the page needs", keyring.ScopeRead)
	}
	return caller.KeyID, nil
}

func infoOf(key keyring.Key, ends time.Time) *sessionInfo {
	return &sessionInfo{Project: key.Project, KeyID: key.ID, KeyName: key.Name, Scopes: key.Scopes, ExpiresAt: ends}
}

// setCookie names no path: the browser takes the directory of the sign-in's address (RFC 6265
// §5.1.4), which is /v1 behind whatever a proxy put before it. All that needs the session is below
// it, and another program on the same host never gets the cookie.
func setCookie(r *http.Request, token string, maxAge int) http.Header {
	c := http.Cookie{
		Name: sessionCookie, Value: token, MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: overTLS(r),
	}
	return http.Header{"Set-Cookie": {c.String()}}
}

// getSession says who is signed in; nobody is no error.
func getSession(_ context.Context, s *Server, c *call) (*answer, error) {
	if err := sameOrigin(c.r); err != nil {
		return nil, err
	}
	key, ends, ok := s.sessionKey(sessionToken(c.r))
	if !ok {
		return &answer{status: http.StatusNoContent}, nil
	}
	return &answer{status: http.StatusOK, body: infoOf(key, ends)}, nil
}

func deleteSession(_ context.Context, s *Server, c *call) (*answer, error) {
	if err := sameOrigin(c.r); err != nil {
		return nil, err
	}
	s.sessions.end(sessionToken(c.r))
	return &answer{status: http.StatusNoContent, header: setCookie(c.r, "", -1)}, nil
}

// postSessionLink makes a sign-in link for the holder of a key, such as `brokle open`.
func postSessionLink(_ context.Context, s *Server, c *call) (*answer, error) {
	if c.session != "" {
		return nil, problemf(http.StatusForbidden, codeForbidden, "a session makes no further sessions: send the key")
	}
	token := s.sessions.link(c.caller.KeyID)
	return &answer{status: http.StatusCreated, body: &sessionLink{Path: linkPath(token), ExpiresAt: s.o.Now().Add(linkLife)}}, nil
}
