package budget

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clock"
)

// MessageVersion is the version of the form of a Message. Members are only added to it.
const MessageVersion = 1

// Message is the body of a request to a webhook.
type Message struct {
	Version int    `json:"version"`
	Text    string `json:"text"` // for people, and for the webhooks of chats that read this member
	Project string `json:"project"`
	Budget
	KeyName string `json:"key_name,omitempty"` // of the key of key_id, where it has one
	Alert
}

// messageOf is what is sent of an alert. Its text has no word that is not of our own alphabet, so that it means nothing to a chat.
func messageOf(h *held, a *Alert, keyName string) Message {
	zone := h.Zone
	if zone == "" {
		zone = "UTC"
	}
	text := fmt.Sprintf("Budget %s of project %s: %s USD spent, the %s level of %s USD is reached (%s from %s, %s).",
		h.Name, h.Project, dollars(a.Spend), a.Level, dollars(a.USD), h.Period, h.day(a.From), zone)
	if a.Unpriced > 0 {
		text += fmt.Sprintf(" It is at least that: the cost of %d calls is not known.", a.Unpriced)
	}
	m := Message{Version: MessageVersion, Text: text, Project: h.Project, Budget: h.Budget, KeyName: keyName, Alert: *a}
	m.Delivery = "" // of no use to who gets it
	return m
}

// dollars writes an amount with all its digits.
func dollars(usd float64) string { return strconv.FormatFloat(usd, 'f', -1, 64) }

// day is a period's first day, by the clock of the budget.
func (h *held) day(from time.Time) string {
	zone, err := time.LoadLocation(h.Zone)
	if err != nil {
		zone = time.UTC
	}
	return from.In(zone).Format(time.DateOnly)
}

// requestTime is how long one request may take.
const requestTime = 10 * time.Second

// giveUp is for how long an alert is sent again.
const giveUp = 72 * time.Hour

// attempt is when a webhook that did not take an alert is asked again.
type attempt struct {
	at      time.Time
	backoff time.Duration
}

// round is one pass over the alerts that are pending.
type round struct {
	tries   map[string]attempt // by the webhook's URL
	refused map[string]bool    // in this round
	silent  map[string]bool    // gave no answer in this round: nothing more is sent there
	others  time.Time          // when the first of the alerts is left that other nodes send now; zero: there are none
}

// deliver sends the alerts that are pending until ctx ends, each until it is taken or too old.
func (b *Budgets) deliver(ctx context.Context) {
	defer b.client.CloseIdleConnections()
	tries := map[string]attempt{}
	for clock.Pause(ctx, b.deliverDue(ctx, tries), b.send) {
	}
}

// deliverDue sends what is due, and says how long nothing will be.
func (b *Budgets) deliverDue(ctx context.Context, tries map[string]attempt) time.Duration {
	r := round{tries: tries, refused: map[string]bool{}, silent: map[string]bool{}}
	for _, h := range b.snapshot() {
		for _, a := range h.Alerts {
			if a.Delivery == pending && ctx.Err() == nil {
				b.deliverOne(ctx, &r, &h, &a)
			}
		}
	}
	now := b.o.Now()
	for url := range r.refused {
		backoff := min(max(2*tries[url].backoff, b.o.FirstBackoff), b.o.MaxBackoff)
		tries[url] = attempt{now.Add(backoff/2 + rand.N(backoff/2+1)), backoff}
	}
	const idle = time.Hour
	wait := idle
	if !r.others.IsZero() {
		wait = min(wait, max(r.others.Sub(now), time.Second))
	}
	for url, try := range tries {
		if left := try.at.Sub(now); left > 0 {
			wait = min(wait, left)
		} else { // all was taken
			delete(tries, url)
		}
	}
	return wait
}

// deliverOne sends an alert once, unless its webhook is left alone.
func (b *Budgets) deliverOne(ctx context.Context, r *round, h *held, a *Alert) {
	url := b.o.Webhook(h.Project)
	switch {
	case url == "": // there was one when the level was reached
		b.settle(h, a, none)
		return
	case b.o.Now().Sub(a.At) > giveUp:
		b.settle(h, a, dropped)
		b.o.Logger.Error("an alert was given up: the webhook did not take it", "project", h.Project, "budget", h.Name, "level", a.Level, "alert", a.ID)
		return
	case r.silent[url] || r.tries[url].at.After(b.o.Now()):
		return
	}
	if until, mine := b.take(h, a); !mine {
		if r.others.IsZero() || until.Before(r.others) {
			r.others = until
		}
		return
	}
	answered, err := b.post(ctx, url, h, a)
	if err == nil {
		b.settle(h, a, sent)
		return
	}
	if ctx.Err() != nil {
		return
	}
	r.refused[url], r.silent[url] = true, !answered
	b.mu.Lock()
	b.stats.retries++
	b.refusals[h.Project] = err.Error()
	b.mu.Unlock()
	b.o.Logger.Warn("an alert was not taken by the webhook; it is sent again", "project", h.Project, "budget", h.Name, "level", a.Level, "alert", a.ID, "error", err)
}

// sendTime is for how long a node has an alert for itself, and leaves it to others when it ends meanwhile.
const sendTime = 2 * requestTime

// take has an alert for this node. It is not when another node sends it, until a time, or has sent it.
func (b *Budgets) take(h *held, a *Alert) (until time.Time, mine bool) {
	now := b.o.Now()
	if b.o.Node == "" {
		return now, true
	}
	until = now.Add(sendTime)
	err := b.change(h, func(is *held) bool {
		i := slices.IndexFunc(is.Alerts, func(is Alert) bool { return is.ID == a.ID })
		has := is.Sending[a.ID]
		switch mine = false; {
		case i < 0 || is.Alerts[i].Delivery != pending:
			return false
		case has.Node != b.o.Node && now.Before(has.Until):
			until = has.Until
			return false
		case is.Sending == nil:
			is.Sending = map[string]lease{}
		}
		is.Sending[a.ID] = lease{b.o.Node, until}
		mine = true
		return true
	})
	return until, mine && err == nil // while nobody can say who sends it, nobody does
}

// settle notes what became of an alert. One of which that cannot be noted is sent again.
func (b *Budgets) settle(h *held, a *Alert, delivery string) {
	b.mu.Lock()
	switch delivery {
	case sent:
		b.stats.sent++
		delete(b.refusals, h.Project)
	case dropped:
		b.stats.dropped++
	}
	b.mu.Unlock()
	err := b.change(h, func(is *held) bool {
		delete(is.Sending, a.ID)
		for i := range is.Alerts {
			if is.Alerts[i].ID == a.ID {
				is.Alerts[i].Delivery = delivery
			}
		}
		return true
	})
	if err != nil {
		b.o.Logger.Error("what became of an alert could not be noted; it may be sent again", "project", h.Project, "budget", h.Name, "alert", a.ID, "error", err)
	}
}

// post sends one request. The error shows neither the URL, which may be a secret, nor what was answered but for the status.
func (b *Budgets) post(ctx context.Context, url string, h *held, a *Alert) (answered bool, err error) {
	name := ""
	if h.KeyID != "" {
		name, _ = b.o.KeyName(h.Project, h.KeyID)
	}
	body, err := json.Marshal(messageOf(h, a, name))
	if err != nil {
		return false, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return false, errors.New("the webhook is no URL")
	}
	for name, values := range b.o.Header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "brokle-alert")
	res, err := b.client.Do(req)
	if err != nil {
		if inner := errors.Unwrap(err); inner != nil {
			err = inner // without the URL
		}
		return false, err
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	const most = 16 << 10
	_, _ = io.CopyN(io.Discard, res.Body, most)       // so that the connection can be used again
	if res.StatusCode < 200 || res.StatusCode > 299 { // what else was answered may repeat the URL
		return true, errors.New(strings.TrimSpace(fmt.Sprintf("%d %s", res.StatusCode, http.StatusText(res.StatusCode))))
	}
	return true, nil
}
