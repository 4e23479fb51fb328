// Package sample makes up a believable day of a support assistant: the
// telemetry that `brokle serve --sample` loads so that there is something to
// look at. It is a client like any other: its events go through the public API.
//
// It promises that one UTC day always gives the same event ids, so that
// loading twice on one day adds nothing, and that all of it lies in the 24
// hours before the given time.
package sample

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/brokle-ai/brokle-go"
)

const (
	conversations = 110 // of one day; about three turns each, a trace per turn
	batchEvents   = 400 // events in a request, at most, give or take one turn
)

// Sender is the part of the SDK's client that Load needs.
type Sender interface {
	SendBatch(ctx context.Context, b *brokle.BatchRequest) (*brokle.BatchResponse, error)
}

// Load sends the sample of now's day. It returns how many events were new and
// how many the server had already.
func Load(ctx context.Context, to Sender, now time.Time) (processed, duplicate int, err error) {
	for _, b := range Batches(now) {
		resp, err := to.SendBatch(ctx, b)
		if err != nil {
			return processed, duplicate, fmt.Errorf("send sample: %w", err)
		}
		processed += resp.ProcessedEvents
		duplicate += resp.DuplicateEvents
		if resp.FailedEvents > 0 {
			return processed, duplicate, fmt.Errorf("send sample: %d events refused, the first with: %s",
				resp.FailedEvents, resp.Errors[0].Message)
		}
	}
	return processed, duplicate, nil
}

// Batches returns the sample as requests, ready to send. Ids depend on now's
// UTC day only; times count back from now. A turn is never split over two
// requests, and each request is one environment.
func Batches(now time.Time) []*brokle.BatchRequest {
	now = now.UTC().Truncate(time.Millisecond)
	g := newGenerator(now)
	for range conversations {
		g.conversation()
	}
	return g.batches()
}

// generator writes the day. Everything random comes from r, which the day
// seeds, in one fixed order.
type generator struct {
	r    *rand.Rand
	day  string // seeds r and goes into every id: 2006-01-02
	now  time.Time
	made int // ids given out

	topics []topic
	turns  []turn
}

// turn is one finished trace: what must stay together.
type turn struct {
	environment string
	events      []brokle.Event
}

func newGenerator(now time.Time) *generator {
	day := now.Format(time.DateOnly)
	sum := sha256.Sum256([]byte("brokle sample " + day))
	seed := rand.NewPCG(binary.LittleEndian.Uint64(sum[:]), binary.LittleEndian.Uint64(sum[8:]))
	return &generator{r: rand.New(seed), day: day, now: now, topics: topics()}
}

// id returns the next id of the day: prefix and 16 hex digits.
func (g *generator) id(prefix string) string {
	g.made++
	sum := sha256.Sum256(fmt.Appendf(nil, "%s/%s/%d", g.day, prefix, g.made))
	return prefix + hex.EncodeToString(sum[:8])
}

// batches groups the turns by environment, in the order they were made.
func (g *generator) batches() []*brokle.BatchRequest {
	var done []*brokle.BatchRequest
	open := map[string]*brokle.BatchRequest{}
	for _, t := range g.turns {
		b := open[t.environment]
		if b == nil {
			b = &brokle.BatchRequest{
				Environment: t.environment,
				Deduplication: &brokle.Deduplication{
					Enabled: true, TTL: brokle.MaxDedupTTL, UseRedisCache: true,
				},
			}
			open[t.environment] = b
			done = append(done, b)
		}
		b.Events = append(b.Events, t.events...)
		if len(b.Events) >= batchEvents {
			delete(open, t.environment)
		}
	}
	return done
}

// fields is a payload before it is marshalled.
type fields map[string]any

// event appends one event to the turn. Marshalling a map of plain values
// cannot fail; the error is impossible by construction.
func (g *generator) event(t *turn, typ brokle.EventType, at time.Time, payload fields) {
	raw, err := json.Marshal(payload)
	if err != nil {
		panic("sample: payload of plain values does not marshal: " + err.Error())
	}
	t.events = append(t.events, brokle.Event{
		ID: g.id("evt_"), Type: typ, Payload: raw, Timestamp: brokle.At(at),
	})
}

// chance is true with probability p.
func (g *generator) chance(p float64) bool { return g.r.Float64() < p }

// between is a duration from lo to hi, more often near lo.
func (g *generator) between(lo, hi time.Duration) time.Duration {
	f := g.r.Float64()
	return (lo + time.Duration(f*f*float64(hi-lo))).Truncate(time.Millisecond)
}

// pick returns one of the choices.
func pick[T any](g *generator, choices []T) T { return choices[g.r.IntN(len(choices))] }

// weekdayHours are hours back from now in which customers write, so that the
// day has a shape: more in some hours than in others.
func (g *generator) startOfConversation() time.Time {
	hours := []int{1, 2, 2, 3, 3, 3, 4, 5, 6, 7, 9, 11, 13, 14, 15, 15, 16, 17, 18, 19, 20, 21, 22}
	back := time.Duration(pick(g, hours))*time.Hour + time.Duration(g.r.IntN(3600))*time.Second
	return g.now.Add(-back)
}

// tokens estimates what a text costs in tokens: four characters each.
func tokens(texts ...string) int {
	n := 0
	for _, t := range texts {
		n += len(t)/4 + 4
	}
	return n
}

// message is one entry of a chat history, as chat APIs shape it.
type message struct {
	Role    string `json:"role"`
	Content string `json:"content"`
}

// withMessage returns the history and one message more; the history's own
// array is never shared, because earlier payloads already used it.
func withMessage(history []message, role, content string) []message {
	return append(slices.Clip(slices.Clone(history)), message{role, content})
}
