// Package signin says who sends a request: the holder of a key, or somebody who signed in to the
// page with one. It bounds how often a client may be wrong. Keys and tokens are in no
// error, and are logged nowhere.
package signin

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/document"
	"github.com/brokle-ai/brokle-go/internal/keyring"
)

// Reason is why somebody is not let in.
type Reason int

// The reasons: nobody is known, they may not, or there were too many failures.
const (
	Unauthorized Reason = iota
	Forbidden
	TooMany
)

// Refusal is the error of all that is not let in.
type Refusal struct {
	Reason    Reason
	Message   string        // for the client
	Wait      time.Duration // of TooMany
	Challenge bool          // a key is to be sent (RFC 9110, section 11.6.1)
}

func (r *Refusal) Error() string { return r.Message }

// Options are the settings of a Desk. Those without a default are required.
type Options struct {
	Keys *keyring.Keyring
	// Failures is how many times a minute one client address may be wrong.
	Failures int
	Now      func() time.Time
	// Place has the sign-ins and the links. Default: the memory, so that a restart signs everyone out.
	Place document.Place
	// Logger hears of sign-ins that cannot be read or written. Default: nobody.
	Logger *slog.Logger
}

// ErrUnavailable is that of a sign-in with a link while it cannot be made sure that nobody else uses it.
var ErrUnavailable = errors.New("the link cannot be taken now")

// Desk knows who is who. Its methods may be called concurrently.
type Desk struct {
	o        Options
	throttle *throttle
	signIns  *signIns
}

// New returns a Desk that knows who was signed in before.
func New(o Options) *Desk {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	return &Desk{o: o, throttle: newThrottle(o.Failures), signIns: newSignIns(o.Now, o.Place, o.Logger)}
}

// Caller is who sends a request.
type Caller struct {
	keyring.Caller
	// SignIn is the token of the sign-in that stood for the key; "" when the key itself was sent. What
	// only a key may do asks this, never what headers there are.
	SignIn string
}

// Caller finds who sends r, by a key or by a sign-in that stands for one; that counts in requests of
// the server's own pages only. The error is a Refusal.
func (d *Desk) Caller(r *http.Request) (Caller, error) {
	secret, token := Secret(r), cookie(r)
	switch {
	case secret != "":
		caller, err := d.lookup(r, secret)
		if err != nil {
			err.Challenge = err.Reason == Unauthorized
			return Caller{}, err
		}
		return Caller{Caller: caller}, nil
	case token == "":
		return Caller{}, &Refusal{Message: "there is no key: send X-API-Key, or Authorization: Bearer", Challenge: true}
	}
	if err := SameOrigin(r); err != nil {
		return Caller{}, err
	}
	key, _, ok := d.key(token)
	if !ok {
		return Caller{}, signedOut()
	}
	return Caller{keyring.Caller{Project: key.Project, KeyID: key.ID, Scopes: key.Scopes}, token}, nil
}

// Still says whether the caller's key has a scope, and the sign-in if there is one, still.
func (d *Desk) Still(c Caller, scope keyring.Scope) bool {
	key, ok := d.o.Keys.Active(c.KeyID)
	if !ok || !(keyring.Caller{Scopes: key.Scopes}).Has(scope) {
		return false
	}
	return c.SignIn == "" || d.signIns.alive(c.SignIn)
}

func signedOut() *Refusal {
	return &Refusal{Message: "there is no session, or it has ended: sign in again"}
}

// SignedIn is somebody who signed in to the page.
type SignedIn struct {
	Key  keyring.Key
	Ends time.Time
}

// SignIn begins a sign-in, with a key or else with the token of a link, and ends one that the
// browser has. The header sets the cookie.
func (d *Desk) SignIn(r *http.Request, secret, token string) (SignedIn, http.Header, error) {
	keyID, err := d.who(r, secret, token)
	if err != nil {
		return SignedIn{}, nil, err
	}
	if old := cookie(r); old != "" {
		d.signIns.end(old)
	}
	mine := d.signIns.start(keyID)
	key, ends, ok := d.key(mine)
	if !ok {
		return SignedIn{}, nil, signedOut()
	}
	return SignedIn{key, ends}, setCookie(r, mine, 0), nil
}

func (d *Desk) who(r *http.Request, secret, token string) (keyID string, err error) {
	if token != "" {
		switch keyID, err = d.signIns.redeem(token); {
		case errors.Is(err, errGone):
			return "", d.failed(r, fmt.Sprintf("the link was used, or is older than %v: ask for another, or sign in with a key", LinkLife))
		case err != nil:
			return "", fmt.Errorf("%w: %w", ErrUnavailable, err)
		}
		return keyID, nil
	}
	caller, refusal := d.lookup(r, strings.TrimSpace(secret))
	switch {
	case refusal != nil:
		return "", refusal
	case !caller.Has(keyring.ScopeRead):
		return "", &Refusal{Reason: Forbidden, Message: fmt.Sprintf("the key lacks the scope %q, which the page needs", keyring.ScopeRead)}
	}
	return caller.KeyID, nil
}

// Who is signed in with the request's cookie.
func (d *Desk) Who(r *http.Request) (SignedIn, bool) {
	key, ends, ok := d.key(cookie(r))
	return SignedIn{key, ends}, ok
}

// SignOut ends the sign-in of the request's cookie. The header takes the cookie away.
func (d *Desk) SignOut(r *http.Request) http.Header {
	d.signIns.end(cookie(r))
	return setCookie(r, "", -1)
}

// Link returns the path of a link that signs in to the page as the key, once, within LinkLife. The token is
// in the fragment, which no log sees.
func (d *Desk) Link(keyID string) (path string) { return "/#token=" + d.signIns.link(keyID) }

// key finds the key of a sign-in, which another node may have made just now. A revoked key is nobody's.
func (d *Desk) key(token string) (keyring.Key, time.Time, bool) {
	id, ends, ok := d.signIns.use(token)
	if !ok {
		return keyring.Key{}, time.Time{}, false
	}
	key, ok := d.o.Keys.Active(id)
	if !ok && !d.o.Keys.Known(id) {
		d.o.Keys.Fresh()
		key, ok = d.o.Keys.Active(id)
	}
	return key, ends, ok
}

// lookup finds whose key this is. The refusal is the answer to a wrong key, or to one
// that is not compared because too many wrong ones came from its address.
func (d *Desk) lookup(r *http.Request, secret string) (keyring.Caller, *Refusal) {
	addr := clientAddr(r)
	guessable := keyring.Guessable(secret)
	mine := proof{addr: addr}
	if guessable {
		mine.hash = sha256.Sum256([]byte(secret))
		if wait := d.throttle.wait(addr, d.o.Now()); wait > 0 && !d.throttle.proved(mine) {
			return keyring.Caller{}, tooMany(wait)
		}
	}
	caller, ok := d.o.Keys.Lookup(secret)
	if !ok {
		return keyring.Caller{}, d.failed(r, "the key is not known, or was revoked")
	}
	if guessable {
		d.throttle.prove(mine)
	}
	return caller, nil
}

// failed is the answer to a failure: message, or that there were too many.
func (d *Desk) failed(r *http.Request, message string) *Refusal {
	if wait := d.throttle.fail(clientAddr(r), d.o.Now()); wait > 0 {
		return tooMany(wait)
	}
	return &Refusal{Message: message}
}

func tooMany(wait time.Duration) *Refusal {
	return &Refusal{Reason: TooMany, Wait: wait,
		Message: "too many wrong keys came from this address: check the key, and wait for the seconds of Retry-After"}
}
