package keyring

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
)

func open(t *testing.T, path string) *Keyring {
	t.Helper()
	k, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func keysFile(t *testing.T) string { t.Helper(); return filepath.Join(t.TempDir(), "keys.json") }

func create(t *testing.T, k *Keyring, project string, scopes ...Scope) (string, Key) {
	t.Helper()
	secret, key, err := k.Create(project, "of "+project, scopes)
	if err != nil {
		t.Fatal(err)
	}
	return secret, key
}

func TestCreateLookupRevoke(t *testing.T) {
	t.Parallel()
	path := keysFile(t)
	k := open(t, path)
	if !k.Empty() || len(k.List()) != 0 || len(k.Projects()) != 0 {
		t.Error("a new keyring is not empty")
	}
	s1, k1 := create(t, k, "shop", ScopeRead, ScopeIngest, ScopeRead)
	s2, k2 := create(t, k, "a.b-c_9", ScopeAdmin)
	for _, s := range []string{s1, s2} {
		if !regexp.MustCompile(`^bk_[0-9A-Za-z]{40}$`).MatchString(s) {
			t.Errorf("secret %q", s)
		}
	}
	for _, ring := range []*Keyring{k, open(t, path)} {
		c, ok := ring.Lookup(s1)
		if !ok || c.Project != "shop" || c.KeyID != k1.ID || !c.Has(ScopeRead) || !c.Has(ScopeIngest) || c.Has(ScopeAdmin) {
			t.Errorf("caller %+v %v", c, ok)
		}
		if c, ok := ring.Lookup(s2); !ok || c.Project != "a.b-c_9" || c.Has(ScopeRead) || !c.Has(ScopeAdmin) {
			t.Errorf("caller %+v %v", c, ok)
		}
		for _, wrong := range []string{"", "bk_", s1[:len(s1)-1], s1 + "x", strings.ToUpper(s1), k1.Hash, "bk_" + k1.Hash, s1[3:]} {
			if _, ok := ring.Lookup(wrong); ok {
				t.Errorf("%q is let in", wrong)
			}
		}
		if got := ring.Projects(); !slices.Equal(got, []string{"a.b-c_9", "shop"}) {
			t.Errorf("projects %v", got)
		}
	}
	if k1.Prefix != s1[3:9] {
		t.Errorf("prefix %q of %q", k1.Prefix, s1)
	}
	if err := k.Revoke(k2.ID); err != nil {
		t.Fatal(err)
	}
	first := k.List()[1].RevokedAt
	if err := k.Revoke(k2.ID); err != nil || *k.List()[1].RevokedAt != *first {
		t.Errorf("revoked again: %v", err)
	}
	if err := k.Revoke("key_0"); !errors.Is(err, ErrUnknownKey) {
		t.Errorf("unknown id: %v", err)
	}
	if _, ok := k.Lookup(s2); ok {
		t.Error("a revoked key is let in")
	}
	if _, ok := k.Lookup(s1); !ok {
		t.Error("another key was revoked too")
	}
	if k.Empty() {
		t.Error("empty, with keys")
	}
}

func TestPut(t *testing.T) {
	t.Parallel()
	path := keysFile(t)
	k := open(t, path)
	const secret = "bk_12345678"
	all := []Scope{ScopeIngest, ScopeRead, ScopeAdmin}
	first, err := k.Put(secret, "default", "bootstrap", []Scope{ScopeIngest})
	if err != nil {
		t.Fatal(err)
	}
	if first.Prefix != "12" {
		t.Errorf("prefix %q tells too much of a short secret", first.Prefix)
	}
	again, err := open(t, path).Put(secret, "default", "bootstrap", all)
	if err != nil || again.ID != first.ID || len(again.Scopes) != 3 {
		t.Fatalf("again: %+v %v", again, err)
	}
	before, _ := os.Stat(path)
	if _, err := k.Put(secret, "default", "bootstrap", all); err != nil {
		t.Fatal(err)
	}
	if after, _ := os.Stat(path); !os.SameFile(before, after) {
		t.Error("a Put that changes nothing rewrites the file")
	}
	if c, ok := k.Lookup(secret); !ok || !c.Has(ScopeAdmin) || len(k.List()) != 1 {
		t.Errorf("caller %+v %v, %d keys", c, ok, len(k.List()))
	}
	if _, err := k.Put(secret, "other", "", all); !errors.Is(err, ErrInvalid) {
		t.Errorf("another project's secret: %v", err)
	}
	if err := k.Revoke(first.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := k.Put(secret, "default", "bootstrap", all); !errors.Is(err, ErrRevoked) {
		t.Errorf("a revoked secret: %v", err)
	}
}

func TestInvalid(t *testing.T) {
	t.Parallel()
	k := open(t, keysFile(t))
	good := []Scope{ScopeRead}
	for _, project := range []string{"", "A", "a b", "ä", "a/b", strings.Repeat("a", 65)} {
		if _, _, err := k.Create(project, "", good); !errors.Is(err, ErrInvalid) {
			t.Errorf("project %q: %v", project, err)
		}
	}
	for _, name := range []string{"a\nb", "\x1b[0m", string([]byte{0xff}), strings.Repeat("a", 101)} {
		if _, _, err := k.Create("p", name, good); !errors.Is(err, ErrInvalid) {
			t.Errorf("name %q: %v", name, err)
		}
	}
	for _, scopes := range [][]Scope{nil, {}, {"write"}, {ScopeRead, ""}} {
		if _, _, err := k.Create("p", "", scopes); !errors.Is(err, ErrInvalid) {
			t.Errorf("scopes %q: %v", scopes, err)
		}
	}
	for _, secret := range []string{"", "bk_", "bk_1234567", "12345678901", "BK_12345678", "bk_1234 5678", "bk_12345678\n", "bk_" + strings.Repeat("a", 251)} {
		if _, err := k.Put(secret, "p", "", good); !errors.Is(err, ErrInvalid) {
			t.Errorf("secret %q: %v", secret, err)
		}
	}
	if !k.Empty() {
		t.Error("something invalid was kept")
	}
	if _, _, err := k.Create(strings.Repeat("z", 64), strings.Repeat("ä", 100), good); err != nil {
		t.Error(err)
	}
}

// Property 29: no secret in the file, its neighbours, errors, faults or logs.
func TestSecretsStaySecret(t *testing.T) {
	t.Parallel()
	path := keysFile(t)
	var out bytes.Buffer
	k, err := Open(path, Options{Logger: slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))})
	if err != nil {
		t.Fatal(err)
	}
	say := func(a any) { fmt.Fprintln(&out, a) }
	const given = "bk_Given-secret-of-a-container"
	made, key := create(t, k, "p", ScopeRead)
	if _, err := k.Put(given, "p", "n", []Scope{ScopeRead}); err != nil {
		t.Fatal(err)
	}
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	say(string(good))
	say(fmt.Sprintf("%+v %+v", k.List(), key))
	for _, s := range []string{made, given} {
		_, err := k.Put(s, "other", "", []Scope{ScopeRead})
		say(err)
		_, _, err = k.Create(s, s, []Scope{s})
		say(err)
		_, err = k.Put(s, "p", "", []Scope{s})
		say(err)
		_, err = k.Put(s, "p", s+"\n", []Scope{ScopeRead})
		say(err)
		say(k.Revoke(s))
		c, _ := k.Lookup(s)
		say(c)
		for _, bad := range []string{
			s, `"` + s + `"`, `{"version":"` + s + `"}`, `{"version":1,"keys":[{"id":"a","created_at":"` + s + `"}]}`,
			`{"version":1,"keys":[{"id":"a","hash":"` + s + `"}]}`, strings.ReplaceAll(string(good), `"p"`, `"`+s+`"`),
			strings.ReplaceAll(string(good), `"read"`, `"`+s+`"`),
		} {
			if err := os.WriteFile(path, []byte(bad), 0o600); err != nil {
				t.Fatal(err)
			}
			k.reload()
			if k.Fault() == "" {
				t.Errorf("no fault from %q", bad)
			}
			say(k.Fault())
			_, err := Open(path, Options{})
			say(err)
		}
	}
	for _, s := range []string{made, given} {
		if strings.Contains(out.String(), s[3:]) {
			t.Errorf("%s appears in:\n%s", s, out.String())
		}
	}
	if info, err := os.Stat(path + ".lock"); err != nil || info.Mode().Perm() != 0o600 || info.Size() != 0 {
		t.Errorf("lock file: %v %v", info, err)
	}
}

// A key revoked by another process stops within a second; a new one works within a second.
func TestRunTakesChangesOver(t *testing.T) {
	path := keysFile(t)
	synctest.Test(t, func(t *testing.T) {
		server, cli := open(t, path), open(t, path)
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error, 1)
		go func() { done <- server.Run(ctx) }()
		second := func() { <-time.After(time.Second); synctest.Wait() }
		secret, key := create(t, cli, "p", ScopeRead)
		if _, ok := server.Lookup(secret); ok {
			t.Fatal("the test shows nothing: known before the file was read")
		}
		second()
		if _, ok := server.Lookup(secret); !ok {
			t.Error("a new key is not known after a second")
		}
		if err := cli.Revoke(key.ID); err != nil {
			t.Fatal(err)
		}
		second()
		if _, ok := server.Lookup(secret); ok {
			t.Error("a revoked key is let in after a second")
		}
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
}

func TestBrokenFileKeepsTheLastGoodKeys(t *testing.T) {
	t.Parallel()
	path := keysFile(t)
	k := open(t, path)
	secret, key := create(t, k, "p", ScopeRead)
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	twice := strings.Replace(string(good), "[", "["+string(good[bytes.IndexByte(good, '[')+1:bytes.LastIndexByte(good, ']')])+",", 1)
	for name, content := range map[string]string{
		"empty": "", "cut": string(good[:len(good)/2]), "not JSON": "keys", "newer": `{"version":2,"keys":[]}`, "no version": `{}`,
		"the same key twice": twice, "no id": strings.Replace(string(good), key.ID, "", 1), "short hash": strings.Replace(string(good), key.Hash, key.Hash[:60], 1),
	} {
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		k.reload()
		if _, ok := k.Lookup(secret); !ok || k.Fault() == "" {
			t.Errorf("%s: known %v, fault %q", name, ok, k.Fault())
		}
		if _, _, err := k.Create("p", "", []Scope{ScopeRead}); err == nil {
			t.Errorf("%s: a broken file was replaced", name)
		}
		if now, err := os.ReadFile(path); err != nil || string(now) != content {
			t.Errorf("%s: the file is %q %v", name, now, err)
		}
		if _, err := Open(path, Options{}); err == nil {
			t.Errorf("%s: opens", name)
		}
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	k.reload()
	if _, ok := k.Lookup(secret); !ok || k.Fault() == "" {
		t.Errorf("gone: known %v, fault %q", ok, k.Fault())
	}
	if err := os.WriteFile(path, good, 0o600); err != nil {
		t.Fatal(err)
	}
	k.reload()
	if k.Fault() != "" {
		t.Errorf("the fault stays: %q", k.Fault())
	}
}

// A crash between writing and renaming leaves the old file, and what lies about hinders nobody.
func TestChangesAreAtomic(t *testing.T) {
	t.Parallel()
	path := keysFile(t)
	k := open(t, path)
	secret, _ := create(t, k, "p", ScopeRead)
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	k.place.(*document.File).Replace = func(string, []byte) error { return os.ErrPermission }
	if _, _, err := k.Create("q", "", []Scope{ScopeRead}); !errors.Is(err, os.ErrPermission) {
		t.Errorf("create: %v", err)
	}
	if len(k.List()) != 1 {
		t.Error("a key that was not written is in force")
	}
	if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, old) {
		t.Errorf("the file is %q %v", now, err)
	}
	if err := os.WriteFile(path+".tmp", []byte(`{"version":1,"ke`), 0o644); err != nil { // as a crash leaves it
		t.Fatal(err)
	}
	other := open(t, path)
	if _, ok := other.Lookup(secret); !ok || len(other.List()) != 1 {
		t.Error("the old keys are lost")
	}
	create(t, other, "q", ScopeRead)
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("keys file: %v %v", info, err)
	}
	if _, err := os.Stat(path + ".tmp"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("temporary file: %v", err)
	}
}

func TestConcurrentWritersLoseNothing(t *testing.T) {
	t.Parallel()
	path := keysFile(t)
	rings := []*Keyring{open(t, path), open(t, path), open(t, path)}
	var mu sync.Mutex // guards secrets
	var secrets []string
	var wg sync.WaitGroup
	for i, k := range rings {
		for j := range 4 {
			wg.Go(func() {
				for n := range 5 {
					secret, key, err := k.Create(fmt.Sprintf("p%d", i), fmt.Sprint(j, n), []Scope{ScopeRead})
					if err != nil {
						t.Error(err)
						return
					}
					if c, ok := k.Lookup(secret); !ok || c.KeyID != key.ID {
						t.Error("a key is not in force when Create returns")
					}
					mu.Lock()
					secrets = append(secrets, secret)
					mu.Unlock()
					k.reload()
				}
			})
		}
	}
	wg.Wait()
	k := open(t, path)
	if n := len(k.List()); n != 60 {
		t.Errorf("%d keys, want 60", n)
	}
	for _, s := range secrets {
		if _, ok := k.Lookup(s); !ok {
			t.Error("a key is lost")
		}
	}
}

func TestListIsACopy(t *testing.T) {
	t.Parallel()
	k := open(t, keysFile(t))
	secret, key := create(t, k, "p", ScopeRead)
	key.Scopes[0] = ScopeAdmin
	k.List()[0].Scopes[0] = ScopeAdmin
	if c, _ := k.Lookup(secret); c.Has(ScopeAdmin) {
		t.Error("a caller changed a key in force")
	}
}

func FuzzFile(f *testing.F) {
	f.Add([]byte(`{"version":1,"keys":[]}`))
	f.Add([]byte(`{"version":1,"keys":[{"id":"a","project":"p","hash":"` + strings.Repeat("ab", 32) + `","scopes":["read"]}]}`))
	f.Add([]byte(`[`))
	f.Fuzz(func(t *testing.T, raw []byte) {
		s, err := parseState(raw)
		if err == nil && len(s.active) > len(s.keys) {
			t.Fatalf("%d active of %d keys", len(s.active), len(s.keys))
		}
	})
}

// New keys have the one length that every client takes: the JavaScript SDK refuses another than 43
// characters. Those of 46, which earlier releases made, stay valid.
func TestLengthOfKeys(t *testing.T) {
	t.Parallel()
	k := open(t, keysFile(t))
	form := regexp.MustCompile(`^bk_[0-9A-Za-z]{40}$`)
	digits := map[byte]int{}
	for range 200 {
		secret := newSecret()
		if !form.MatchString(secret) {
			t.Fatalf("a key of %d characters, or others than letters and digits", len(secret))
		}
		for i := len(SecretPrefix); i < len(secret); i++ {
			digits[secret[i]]++
		}
	}
	for d := range len(secretDigits) { // 8000 draws: each about 129 times, and 62 seen
		if n := digits[secretDigits[d]]; n < 60 || n > 220 {
			t.Errorf("%q was drawn %d times", secretDigits[d], n)
		}
	}
	const before = "bk_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG"
	if _, err := k.Put(before, "default", "", []Scope{ScopeIngest}); err != nil || len(before) != 46 {
		t.Errorf("a key of 46 characters: %v", err)
	}
	if _, ok := k.Lookup(before); !ok {
		t.Error("a key of 46 characters is not found")
	}
}
