package signin

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/keyring"
)

// CookieName is of the cookie of a sign-in. It is out of reach of scripts, and browsers send it to requests
// from the server's own pages only.
const CookieName = "brokle_session"

// Secret is the key that a request was sent with; "" for none. The forms, of which the first
// that is there counts:
//
//   - X-API-Key: bk_…
//   - Authorization: Bearer bk_… (RFC 6750)
//   - Authorization: Basic base64(anything:bk_…) (RFC 7617). One whose password is no key is for a proxy
//     before the server, and passed over.
//
// A sign-in's cookie counts after all of them.
func Secret(r *http.Request) string {
	if secret := r.Header.Get("X-API-Key"); secret != "" {
		return secret
	}
	if scheme, token, ok := strings.Cut(r.Header.Get("Authorization"), " "); ok && strings.EqualFold(scheme, "Bearer") {
		return strings.TrimSpace(token)
	}
	if _, password, ok := r.BasicAuth(); ok && strings.HasPrefix(password, keyring.SecretPrefix) {
		return password
	}
	return ""
}

// cookie is the token of the sign-in that a request was sent with; "" for none.
func cookie(r *http.Request) string {
	c, err := r.Cookie(CookieName)
	if err != nil {
		return ""
	}
	return c.Value
}

// setCookie names no path: the browser takes the directory of the sign-in's address (RFC 6265
// §5.1.4), which is /v1 behind whatever a proxy put before it. All that needs the sign-in is below
// it, and another program on the same host never gets the cookie.
func setCookie(r *http.Request, token string, maxAge int) http.Header {
	c := http.Cookie{
		Name: CookieName, Value: token, MaxAge: maxAge, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: overTLS(r),
	}
	return http.Header{"Set-Cookie": {c.String()}}
}

// overTLS says whether the browser came by https, as far as the server or its proxy knows.
func overTLS(r *http.Request) bool {
	return r.TLS != nil || strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
}

// SameOrigin refuses what another site makes a browser send. What can change
// something must prove where it comes from (Fetch Metadata, or Origin as in RFC
// 6454 §7); for what only reads it is enough not to come from elsewhere.
func SameOrigin(r *http.Request) error {
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
		return &Refusal{Reason: Forbidden, Message: "a session is for requests of this server's own pages"}
	}
	return nil
}
