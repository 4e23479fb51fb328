package signin

import (
	"encoding/base64"
	"errors"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/brokle-ai/brokle-go/internal/keyring"
)

// newDesk is a Desk, and a key of each of two projects.
func newDesk(t *testing.T) (d *Desk, one, two string) {
	t.Helper()
	keys, err := keyring.Open(filepath.Join(t.TempDir(), "keys.json"), keyring.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for project, secret := range map[string]*string{"one": &one, "two": &two} {
		if *secret, _, err = keys.Create(project, "test", []keyring.Scope{keyring.ScopeRead}); err != nil {
			t.Fatal(err)
		}
	}
	return New(Options{Keys: keys, Failures: 1000, Now: time.Now}), one, two
}

func basic(user, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(user+":"+password))
}

// Each form of a credential, and two that disagree: one order, and one set of refusals. No refusal repeats what was sent.
func TestCredentials(t *testing.T) {
	t.Parallel()
	d, one, two := newDesk(t)
	const wrong = "bk_0123456789abcdefghijklmnopqrstuv"
	_, set, err := d.SignIn(httptest.NewRequest("POST", "/v1/session", nil), two, "")
	if err != nil {
		t.Fatal(err)
	}
	cookie, _, _ := strings.Cut(set.Get("Set-Cookie"), ";")
	for name, c := range map[string]struct {
		headers []string
		project string // "" for a refusal
	}{
		"X-API-Key":                       {[]string{"X-API-Key", one}, "one"},
		"Bearer":                          {[]string{"Authorization", "Bearer " + one}, "one"},
		"bearer, in any case and spaced":  {[]string{"Authorization", "bearer   " + one + " "}, "one"},
		"Basic":                           {[]string{"Authorization", basic("anything", one)}, "one"},
		"Basic without a name":            {[]string{"Authorization", basic("", one)}, "one"},
		"basic, in any case":              {[]string{"Authorization", strings.Replace(basic("pk", one), "Basic", "bAsIc", 1)}, "one"},
		"Basic, the key as name":          {[]string{"Authorization", basic(one, "x")}, ""},
		"Basic, not encoded":              {[]string{"Authorization", "Basic x:" + one}, ""},
		"Basic, a wrong key":              {[]string{"Authorization", basic("x", wrong)}, ""},
		"cookie":                          {[]string{"Cookie", cookie}, "two"},
		"cookie of nobody":                {[]string{"Cookie", CookieName + "=abc"}, ""},
		"nothing":                         {nil, ""},
		"wrong key":                       {[]string{"X-API-Key", wrong}, ""},
		"X-API-Key before Bearer":         {[]string{"X-API-Key", one, "Authorization", "Bearer " + two}, "one"},
		"X-API-Key before Basic":          {[]string{"X-API-Key", one, "Authorization", basic("x", two)}, "one"},
		"a wrong X-API-Key before Bearer": {[]string{"X-API-Key", wrong, "Authorization", "Bearer " + two}, ""},
		"an empty X-API-Key is none":      {[]string{"X-API-Key", "", "Authorization", "Bearer " + two}, "two"},
		"X-API-Key before a cookie":       {[]string{"X-API-Key", one, "Cookie", cookie}, "one"},
		"Bearer before a cookie":          {[]string{"Authorization", "Bearer " + one, "Cookie", cookie}, "one"},
		"Basic before a cookie":           {[]string{"Authorization", basic("x", one), "Cookie", cookie}, "one"},
		"a wrong key before a cookie":     {[]string{"Authorization", basic("x", wrong), "Cookie", cookie}, ""},
		"a proxy's Basic and a cookie":    {[]string{"Authorization", basic("admin", "secret"), "Cookie", cookie}, "two"},
		"a cookie of another site's page": {[]string{"Cookie", cookie, "Sec-Fetch-Site", "cross-site"}, ""},
	} {
		r := httptest.NewRequest("GET", "/v1/traces", nil)
		for i := 0; i < len(c.headers); i += 2 {
			r.Header.Set(c.headers[i], c.headers[i+1])
		}
		who, err := d.Caller(r)
		if who.Project != c.project || (err == nil) != (c.project != "") || (who.SignIn != "") != (err == nil && Secret(r) == "") {
			t.Errorf("%s: %+v, %v", name, who.Caller, err)
		}
		if err == nil {
			continue
		}
		if refusal := (*Refusal)(nil); !errors.As(err, &refusal) || refusal.Message == "" {
			t.Errorf("%s: %#v is no refusal", name, err)
		}
		for _, h := range c.headers {
			if len(h) > 20 && strings.Contains(err.Error(), h) {
				t.Errorf("%s: the refusal repeats it: %v", name, err)
			}
		}
	}
}
