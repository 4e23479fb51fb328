package alert

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"
)

// requestTime is how long one request may take.
const requestTime = 10 * time.Second

// attempt sends a message to a destination, once.
func (a *Alerts) attempt(ctx context.Context, to *Destination, m *Message) outcome {
	body, err := m.body(to.Kind)
	if err != nil {
		return outcome{gone: true, says: "it cannot be written as JSON"}
	}
	if to.Kind == kindCommand {
		return a.run(ctx, to.Command, body)
	}
	return a.post(ctx, to, m.Data.ID, body)
}

// post sends one request. What is said of it shows neither the URL, which may be a secret, nor what was answered but for the status.
func (a *Alerts) post(ctx context.Context, to *Destination, id string, body []byte) outcome {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, to.URL, bytes.NewReader(body))
	if err != nil {
		return outcome{gone: true, says: "its address is no URL"}
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "brokle-alert")
	if to.Kind == kindWebhook {
		if err := sign(req.Header, to.Secret, id, a.o.Now(), body); err != nil {
			return outcome{gone: true, says: "its secret is none"}
		}
	}
	res, err := a.client.Do(req)
	if err != nil {
		if errors.Is(err, errPrivate) {
			return outcome{says: errPrivate.Error()}
		}
		if inner := errors.Unwrap(err); inner != nil {
			err = inner // without the URL
		}
		return outcome{says: strings.ReplaceAll(err.Error(), "\n", " ")}
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	const most = 16 << 10
	_, _ = io.CopyN(io.Discard, res.Body, most) // so that the connection can be used again
	return outcome{
		taken: res.StatusCode/100 == 2, gone: res.StatusCode == http.StatusGone, answered: true, after: askedFor(res.Header, a.o.Now()),
		says: strings.TrimSpace(fmt.Sprintf("%d %s", res.StatusCode, http.StatusText(res.StatusCode))),
	}
}

// sign gives a request the headers of the specification of Standard Webhooks (standardwebhooks.com, version 1): an id that stays the same however often the message is
// sent, the time of this attempt, and HMAC-SHA256 over both and the body.
func sign(header http.Header, secret, id string, at time.Time, body []byte) error {
	key, err := secretOf(secret)
	if err != nil {
		return err
	}
	stamp := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, key)
	_, _ = io.WriteString(mac, id+"."+stamp+".") // a hash never fails
	_, _ = mac.Write(body)
	header.Set("Webhook-Id", id)
	header.Set("Webhook-Timestamp", stamp)
	header.Set("Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	return nil
}

// askedFor is how long the receiver wants to be left alone: Retry-After, in either form of RFC 9110, section 10.2.3.
func askedFor(header http.Header, now time.Time) time.Duration {
	text := header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(text, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now), 0)
	}
	return 0
}
