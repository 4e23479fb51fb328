package forward

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/klauspost/compress/gzip"

	"github.com/brokle-ai/brokle-go/internal/clock"
	"github.com/brokle-ai/brokle-go/internal/entity"
)

// ForwardedHeader marks requests of a Forwarder: who takes them forwards them no further.
const ForwardedHeader = "Brokle-Forwarded"

// Why something was dropped.
const (
	refusedAlone = "refused"   // the server refuses a record that was sent alone
	tooLarge     = "too_large" // it is too large for it
	partly       = "partial"   // the server took a request but for some, and did not say which
)

var reasons = []string{refusedAlone, tooLarge, partly}

// deliver sends what the records at seqs are of a signal, and again until the server has taken it or
// refuses each part of it alone. An error is ctx's or the Log's.
func (f *Forwarder) deliver(ctx context.Context, s signal, seqs []entity.Seq) error {
	backoff, failures := f.o.FirstBackoff, 0
	for {
		req, err := f.request(ctx, seqs)
		if err != nil {
			return err
		}
		body, n := req.Traces, req.Spans
		if s == logs {
			body, n = req.Logs, req.Records
		}
		if n == 0 {
			return nil
		}
		v := f.post(ctx, s, body)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if v.kind == failing {
			if failures++; failures > mostFailures {
				v.kind = refused // it may be what is in it
			}
		}
		switch v.kind {
		case taken:
			f.taken(n, v)
			return nil
		case refused:
			return f.split(ctx, s, seqs, n, v)
		}
		f.retrying(v)
		if err := clock.Sleep(ctx, max(v.after, backoff/2+rand.N(backoff/2+1))); err != nil {
			return err
		}
		backoff = min(2*backoff, f.o.MaxBackoff)
	}
}

// mostFailures is how often a request is sent again that a server fails on, and not because it is busy.
const mostFailures = 5

// split delivers the halves of what was refused; one record alone is dropped.
func (f *Forwarder) split(ctx context.Context, s signal, seqs []entity.Seq, n int, v verdict) error {
	if len(seqs) == 1 {
		why := refusedAlone
		if v.status == http.StatusRequestEntityTooLarge {
			why = tooLarge
		}
		f.dropped(why, int64(n), v.said)
		return nil
	}
	for _, half := range [][]entity.Seq{seqs[:len(seqs)/2], seqs[len(seqs)/2:]} {
		if err := f.deliver(ctx, s, half); err != nil {
			return err
		}
	}
	return nil
}

// outcome is what an answer means.
type outcome int

const (
	taken   outcome = iota
	later           // busy, away or set up wrongly: the same again, for as long as it takes
	failing         // it fails: the same again, a few times
	refused         // never
)

// verdict is an answer.
type verdict struct {
	kind     outcome
	status   int
	after    time.Duration // how long the server wants to be left alone
	rejected int64         // of a request that was taken
	said     string        // for people
}

// fault is what everybody may know of an answer that was no success: its body may repeat what it was sent, which is for the log.
func (v *verdict) fault() string {
	if v.status == 0 {
		return v.said
	}
	return strings.TrimSpace(fmt.Sprintf("%d %s", v.status, http.StatusText(v.status)))
}

// post sends one request.
func (f *Forwarder) post(ctx context.Context, s signal, body []byte) verdict {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, f.o.Target.urls[string(s)], bytes.NewReader(packed(body)))
	if err != nil {
		return verdict{kind: later, said: err.Error()}
	}
	for name, values := range f.o.Target.header {
		req.Header[name] = values
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Content-Encoding", "gzip")
	req.Header.Set(ForwardedHeader, "1")
	req.Header.Set("User-Agent", "brokle-forward")
	res, err := f.client.Do(req)
	if err != nil {
		return verdict{kind: later, said: failure(err)}
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	const most = 64 << 10
	said, _ := io.ReadAll(io.LimitReader(res.Body, most)) // what came of it says enough
	f.mu.Lock()
	f.stats.Requests++
	f.mu.Unlock()
	return f.judge(res, said)
}

// failure is an error of a request without its URL, whose query may hold a secret.
func failure(err error) string {
	if inner := errors.Unwrap(err); inner != nil {
		err = inner
	}
	return err.Error()
}

func packed(body []byte) []byte {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(body) // a buffer takes everything
	_ = z.Close()
	return b.Bytes()
}

// judge says what an answer means. Of a server that does not know who sends, or has no such path, nothing is dropped:
// that is to be set right.
func (f *Forwarder) judge(res *http.Response, said []byte) verdict {
	v := verdict{status: res.StatusCode, said: fmt.Sprintf("%s: %s", res.Status, short(said))}
	switch c := res.StatusCode; {
	case c >= 200 && c < 300:
		v.rejected, v.said = partial(said)
	case c == http.StatusTooManyRequests || c == http.StatusBadGateway || c == http.StatusServiceUnavailable || c == http.StatusGatewayTimeout || c == http.StatusRequestTimeout:
		v.kind, v.after = later, retryAfter(res.Header.Get("Retry-After"), f.o.Now())
	case c == http.StatusBadRequest || c == http.StatusRequestEntityTooLarge || c == http.StatusUnprocessableEntity:
		v.kind = refused
	case c >= 500:
		v.kind = failing
	default:
		v.kind = later
	}
	return v
}

// short is what a server said, for a log line. Servers may repeat what they were sent, so it is not much.
func short(said []byte) string {
	const most = 200
	return strings.ToValidUTF8(string(said[:min(len(said), most)]), "")
}

// longestRetryAfter bounds what a server may ask for.
const longestRetryAfter = 5 * time.Minute

// retryAfter reads the header: seconds, or a date.
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(strings.TrimSpace(text)); err == nil {
		return min(time.Duration(max(n, 0))*time.Second, longestRetryAfter)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), longestRetryAfter)
	}
	return 0
}

// partial reads the partial success of an answer.
func partial(said []byte) (rejected int64, message string) {
	var a struct {
		PartialSuccess struct {
			RejectedSpans, RejectedLogRecords json.RawMessage
			ErrorMessage                      string
		}
	}
	if json.Unmarshal(said, &a) != nil {
		return 0, ""
	}
	for _, raw := range []json.RawMessage{a.PartialSuccess.RejectedSpans, a.PartialSuccess.RejectedLogRecords} {
		if n, err := strconv.ParseInt(strings.Trim(string(raw), `"`), 10, 64); err == nil && n > 0 {
			rejected += n
		}
	}
	return rejected, short([]byte(a.PartialSuccess.ErrorMessage))
}

func (f *Forwarder) taken(n int, v verdict) {
	f.mu.Lock()
	f.stats.Sent += int64(n) - min(v.rejected, int64(n))
	f.stats.Fault = ""
	was := f.failing
	f.failing = false
	f.mu.Unlock()
	if was {
		f.o.Logger.Info("the target of forwarding takes requests again")
	}
	if v.rejected > 0 {
		f.dropped(partly, min(v.rejected, int64(n)), v.said)
	}
}

// retrying notes a request that is sent again.
func (f *Forwarder) retrying(v verdict) {
	f.mu.Lock()
	f.stats.Retries++
	f.stats.Fault = v.fault()
	was := f.failing
	f.failing = true
	f.mu.Unlock()
	if !was {
		f.o.Logger.Warn("the target of forwarding takes nothing now; it is tried until it does", "error", v.said)
	}
}

// tellEvery is how far apart lines about what was dropped are.
const tellEvery = time.Minute

// dropped counts what is given up, and tells it once a minute.
func (f *Forwarder) dropped(why string, n int64, said string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.stats.Dropped[why] += n
	f.quiet += n
	if now := f.o.Now(); f.told.IsZero() || now.Sub(f.told) >= tellEvery {
		f.o.Logger.Warn("the target of forwarding refuses spans or log records for good; they stay here", "count", f.quiet, "reason", why, "error", said)
		f.told, f.quiet = now, 0
	}
}
