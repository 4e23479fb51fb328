package judge

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

const (
	callTime   = 2 * time.Minute
	mostAnswer = 1 << 20  // bytes of an answer that are read
	mostInput  = 64 << 10 // bytes of a value that is put into a prompt
)

// variables are those of prompts.
var variables = []string{"input", "output", "name", "metadata"}

// result is what became of one trace.
type result struct {
	already bool // it has the score
	nothing bool // the judge has none to give
	called  bool // a call was made
	cost    float64
	err     error
	final   bool          // trying again is of no use
	after   time.Duration // the judge wants to be left alone for so long
}

// ask has a trace judged, and keeps its score.
func (j *Judges) ask(ctx context.Context, h *held, t *wire.TraceSummary) (r result) {
	given, err := j.o.Server.Scores(ctx, h.Project, url.Values{"trace_id": {t.ID}, "name": {h.Score.Name}, "limit": {"1"}, "filter": {"evaluator:" + h.Name}})
	if err != nil {
		return result{err: fmt.Errorf("its scores could not be read: %w", err)}
	}
	if len(given.Data) > 0 {
		return result{already: true}
	}
	trace, err := j.o.Server.Trace(ctx, h.Project, t.ID)
	if err != nil {
		return result{err: fmt.Errorf("it could not be read: %w", err)}
	}
	r.called = true
	var says *verdict
	if h.Kind == kindWebhook {
		says = j.askProgram(ctx, h, trace, &r)
	} else {
		says = j.askModel(ctx, h, trace, &r)
	}
	if r.err != nil || says == nil {
		r.nothing = r.err == nil
		return r
	}
	if err := j.o.Server.Send(ctx, h.Project, h.UpdatedBy, trace.Environment, []wire.Event{h.score(trace, says, j.o.Now())}); err != nil {
		r.err = fmt.Errorf("the score could not be kept: %w", err)
	}
	return r
}

// verdict is what a judge says.
type verdict struct {
	value  float64 // NUMERIC, and 0 or 1 of BOOLEAN
	word   string  // CATEGORICAL
	reason string
}

// post sends JSON, and returns the body of a 2xx.
func (j *Judges) post(ctx context.Context, h *held, body []byte, r *result) (answer []byte, status int) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, h.URL, bytes.NewReader(body))
	if err != nil {
		r.err, r.final = errors.New("its address is no URL"), true
		return nil, 0
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", "brokle-judge")
	if h.Key != "" {
		req.Header.Set("Authorization", "Bearer "+h.Key)
	}
	res, err := j.client.Do(req)
	if err != nil {
		var of *url.Error // its text has the address
		if errors.As(err, &of) {
			err = of.Err
		}
		r.err = err
		return nil, 0
	}
	defer res.Body.Close() //nolint:errcheck // it was read
	answer, err = io.ReadAll(io.LimitReader(res.Body, mostAnswer))
	switch {
	case err != nil:
		r.err = fmt.Errorf("the answer could not be read: %w", err)
	case res.StatusCode/100 != 2:
		r.err = fmt.Errorf("the judge answered %d %s", res.StatusCode, http.StatusText(res.StatusCode))
		r.final = res.StatusCode/100 == 4 && res.StatusCode != http.StatusTooManyRequests && res.StatusCode != http.StatusRequestTimeout &&
			res.StatusCode != http.StatusUnauthorized && res.StatusCode != http.StatusForbidden
		if why := reason(answer, h.Key); why != "" {
			r.err = fmt.Errorf("%w: %s", r.err, why)
		}
		r.after = retryAfter(res.Header.Get("Retry-After"), j.o.Now())
	}
	return answer, res.StatusCode
}

// retryAfter is for how long a server wants to be left alone, in seconds or until a date (RFC 9110, section 10.2.3); an hour at most.
func retryAfter(says string, now time.Time) time.Duration {
	if seconds, err := strconv.ParseUint(says, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, time.Hour)
	}
	if until, err := http.ParseTime(says); err == nil {
		return min(max(until.Sub(now), 0), time.Hour)
	}
	return 0
}

// reason is what an answer says of its error, in the forms that providers have: {"error": {"message": …}}, {"error": …} and {"message": …}; without the key.
func reason(answer []byte, key string) string {
	var said struct {
		Error   json.RawMessage `json:"error"`
		Message string          `json:"message"`
	}
	if json.Unmarshal(answer, &said) != nil {
		return ""
	}
	text := said.Message
	var inner struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(said.Error, &inner) == nil && inner.Message != "" {
		text = inner.Message
	} else if plain := ""; json.Unmarshal(said.Error, &plain) == nil && plain != "" {
		text = plain
	}
	if key != "" {
		text = strings.ReplaceAll(text, key, masked)
	}
	return cut(strings.Join(strings.Fields(text), " "), 300)
}

// program is what a webhook is sent.
type program struct {
	Judge string     `json:"judge"`
	Score Wanted     `json:"score"`
	Trace *sentTrace `json:"trace"`
}

// sentTrace is a trace as a program gets it.
type sentTrace struct {
	ID          string          `json:"id"`
	Name        string          `json:"name"`
	Environment string          `json:"environment"`
	UserID      string          `json:"user_id"`
	SessionID   string          `json:"session_id"`
	Tags        []string        `json:"tags"`
	StartTime   time.Time       `json:"start_time"`
	Input       json.RawMessage `json:"input"`
	Output      json.RawMessage `json:"output"`
	Metadata    json.RawMessage `json:"metadata"`
}

func (j *Judges) askProgram(ctx context.Context, h *held, t *wire.Trace, r *result) *verdict {
	body, err := json.Marshal(program{h.Name, h.Score, &sentTrace{t.ID, t.Name, t.Environment, t.UserID, t.SessionID, append([]string{}, t.Tags...), t.StartTime, t.Input, t.Output, t.Metadata}})
	if err != nil {
		r.err, r.final = errors.New("the trace cannot be written as JSON"), true
		return nil
	}
	answer, status := j.post(ctx, h, body, r)
	if r.err != nil || status == http.StatusNoContent {
		return nil
	}
	says, err := h.Score.read(answer)
	r.err = err
	return says
}

// read reads {"value": …, "reason": …} out of a text that may have more before and behind it.
func (s *Wanted) read(text []byte) (*verdict, error) {
	for from := 0; ; {
		at := bytes.IndexByte(text[from:], '{')
		if at < 0 {
			return nil, errors.New(`the answer has no {"value": …}`)
		}
		from += at
		var said struct {
			Value  json.RawMessage `json:"value"`
			Reason string          `json:"reason"`
		}
		if json.NewDecoder(bytes.NewReader(text[from:])).Decode(&said) == nil && len(said.Value) > 0 {
			v, err := s.value(said.Value)
			if v != nil {
				v.reason = cut(said.Reason, 4000)
			}
			return v, err
		}
		from++
	}
}

// value reads a value by the type of the score.
func (s *Wanted) value(raw json.RawMessage) (*verdict, error) {
	var v any
	if err := json.Unmarshal(raw, &v); err != nil {
		return nil, errors.New("the value is no JSON")
	}
	text, isText := v.(string)
	switch s.DataType {
	case "CATEGORICAL":
		for _, c := range s.Categories {
			if isText && strings.EqualFold(strings.TrimSpace(text), c) {
				return &verdict{word: c}, nil
			}
		}
		return nil, errors.New("the value is none of the categories")
	case "BOOLEAN":
		if b, err := strconv.ParseBool(strings.ToLower(fmt.Sprint(v))); err == nil {
			if b {
				return &verdict{value: 1}, nil
			}
			return &verdict{}, nil
		}
		return nil, errors.New("the value is not true or false")
	}
	n, err := strconv.ParseFloat(strings.TrimSpace(fmt.Sprint(v)), 64)
	if err != nil || n-n != 0 {
		return nil, errors.New("the value is no number")
	}
	if s.Min != nil && n < *s.Min || s.Max != nil && n > *s.Max {
		return nil, errors.New("the value is outside of min and max")
	}
	return &verdict{value: n}, nil
}

// cut is a text of at most so many bytes, cut between characters.
func cut(s string, most int) string {
	if len(s) <= most {
		return s
	}
	for most > 0 && !utf8.RuneStart(s[most]) {
		most--
	}
	return s[:most] + "…"
}
