package alert

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/egress"
)

// The kinds of destinations.
const (
	kindWebhook = "webhook"
	kindSlack   = "slack"
	kindCommand = "command"
)

// masked stands for a secret that is set.
const masked = "********"

const longestURL = 2048 // bytes

// secretPrefix is before the base64 of a secret, by the specification of Standard Webhooks.
const secretPrefix = "whsec_"

// faults says what is wrong with a destination, a thing each.
func (d *Destination) faults() []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	switch d.Kind {
	case kindWebhook, kindSlack:
		if err := urlFault(d.URL); err != nil {
			errs = append(errs, err)
		}
		if d.Command != "" {
			wrong("command: only the kind command has one")
		}
	case kindCommand:
		if d.Command == "" || len(d.Command) > longestName {
			wrong("command: it is the name of one of the server's --alert-command")
		}
		if d.URL != "" {
			wrong("url: the kind command has none")
		}
	default:
		wrong("kind: it is webhook, slack or command")
	}
	switch {
	case d.Kind == kindWebhook:
		if _, err := secretOf(d.Secret); err != nil {
			wrong("secret: %w", err)
		}
	case d.Secret != "":
		wrong("secret: only the kind webhook has one")
	}
	return errs
}

// urlFault says why requests cannot be sent to an address. It does not repeat it, for it may be a secret.
func urlFault(address string) error {
	u, err := url.Parse(address)
	switch {
	case len(address) > longestURL:
		return fmt.Errorf("url: it has at most %d bytes", longestURL)
	case err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Hostname() == "":
		return errors.New("url: it is an http:// or https:// address such as https://chat.example/hooks/1")
	case u.User != nil:
		return errors.New("url: it holds no name and no password")
	case u.Fragment != "":
		return errors.New("url: it has no fragment")
	case strings.Contains(address, masked):
		return errors.New("url: it is masked: give the whole address, or the id of the destination that has it")
	}
	return nil
}

// hereFaults says what this server does not send to: commands that it has not, and private addresses unless it may.
func (a *Alerts) hereFaults(d *Destination) error {
	if d.Kind == kindCommand {
		if _, has := a.o.Commands[d.Command]; has {
			return nil
		}
		known := "it has none"
		if len(a.o.Commands) > 0 {
			known = "it has " + strings.Join(slices.Sorted(maps.Keys(a.o.Commands)), ", ")
		}
		return fmt.Errorf("command: who runs the server has set no command of this name (--alert-command); %s", known)
	}
	u, err := url.Parse(d.URL)
	if err != nil || a.o.Private {
		return nil
	}
	if egress.Local(u) {
		return fmt.Errorf("url: %w", errPrivate)
	}
	return nil
}

// same says whether both are one place.
func (d *Destination) same(other Destination) bool {
	return d.Kind == other.Kind && d.URL == other.URL && d.Command == other.Command
}

// shown is the destination as it is shown: what lets others send there is masked.
func (d Destination) shown() Destination {
	if d.URL != "" {
		d.URL = maskedURL(d.URL)
	}
	if d.Secret != "" {
		d.Secret = masked
	}
	return d
}

func maskedURL(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return masked
	}
	if strings.Trim(u.Path, "/") == "" && u.RawQuery == "" {
		return address
	}
	return u.Scheme + "://" + u.Host + "/" + masked
}

// where names the destination in a log of deliveries.
func (d *Destination) where() string {
	if d.Kind == kindCommand {
		return d.Command
	}
	return maskedURL(d.URL)
}

// fill gives a destination that was sent what is masked in it, from one that is there, and what the server gives: an id, and a secret where there is none. made is
// that secret.
func (d *Destination) fill(had []Destination) (made string) {
	i := slices.IndexFunc(had, func(is Destination) bool { return d.ID != "" && is.ID == d.ID && is.Kind == d.Kind })
	if i >= 0 {
		is := had[i]
		if d.URL == "" || d.URL == maskedURL(is.URL) {
			d.URL = is.URL
		}
		if d.Secret == "" || d.Secret == masked {
			d.Secret = is.Secret
		}
		return ""
	}
	d.ID = random(6)
	if d.Kind == kindWebhook && d.Secret == "" {
		made = newSecret()
		d.Secret = made
	}
	return made
}

func random(bytes int) string {
	b := make([]byte, bytes)
	rand.Read(b) //nolint:errcheck // never fails (crypto/rand)
	return hex.EncodeToString(b)
}

func newSecret() string {
	b := make([]byte, 32)
	rand.Read(b) //nolint:errcheck // never fails (crypto/rand)
	return secretPrefix + base64.StdEncoding.EncodeToString(b)
}

// secretOf is the bytes of a secret.
func secretOf(text string) ([]byte, error) {
	encoded, has := strings.CutPrefix(text, secretPrefix)
	raw, err := base64.StdEncoding.DecodeString(encoded)
	if !has || err != nil || len(raw) < 24 || len(raw) > 64 {
		return nil, errors.New("it is whsec_ and 24 to 64 bytes in base64; leave it out to have one made")
	}
	return raw, nil
}
