package judge

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/query"
	"github.com/brokle-ai/brokle-go/internal/wire"
)

// Tag is that of the traces of judges' own calls: they are never judged.
const Tag = "brokle-judge"

// Judge says which traces are judged, by whom, and what for.
type Judge struct {
	Name        string  `json:"name"`                  // its own within the project: 1 to 64 of a-z, 0-9, dash, underscore and dot, a letter or digit first
	Description string  `json:"description,omitempty"` // at most 2000 characters
	Filter      string  `json:"filter,omitempty"`      // which traces, as the filters of lists say it; all when absent
	Sample      float64 `json:"sample"`                // the share of these that is judged, by trace id: above 0, to 1; 1 when absent
	Quiet       string  `json:"quiet"`                 // for how long nothing of a trace has come before it is judged: 1s to 1h; 1m when absent
	Score       Wanted  `json:"score"`
	Kind        string  `json:"kind"` // llm or webhook
	URL         string  `json:"url"`  // of llm: an endpoint in the shape of OpenAI's chat completions, such as https://api.openai.com/v1/chat/completions; shown without its path
	// Key is sent as Authorization: Bearer. Shown masked; absent, or as it is shown: it stays what it is.
	Key string `json:"key,omitempty"`
	// Model is that of llm.
	Model string `json:"model,omitempty"`
	// Prompt is what a model is asked, of llm: {{input}}, {{output}}, {{name}} and {{metadata}} stand for the trace's, each cut at 64 KiB. At most 32 KiB.
	Prompt string `json:"prompt,omitempty"`
	// Parameters are members of the request beside model and messages, of llm, such as {"temperature": 0}.
	Parameters json.RawMessage `json:"parameters,omitempty"`
	MaxCalls   int64           `json:"max_calls_per_day"`          // 1 to 100 000; 1000 when absent. Days are UTC's
	MaxCost    *float64        `json:"max_cost_per_day,omitempty"` // US dollars; absent: there is no bound but the calls
	Disabled   bool            `json:"disabled,omitempty"`         // nothing is judged
}

// Wanted says what is given.
type Wanted struct {
	Name       string   `json:"name"`                 // at most 200 characters
	DataType   string   `json:"data_type"`            // NUMERIC, BOOLEAN or CATEGORICAL
	Min        *float64 `json:"min,omitempty"`        // of NUMERIC: the lowest value that is taken
	Max        *float64 `json:"max,omitempty"`        // the highest
	Categories []string `json:"categories,omitempty"` // of CATEGORICAL: 1 to 50
}

// The kinds of judges.
const (
	kindLLM     = "llm"
	kindWebhook = "webhook"
)

// The bounds of what is taken.
const (
	MaxRules      = 20 // of a project
	maxAll        = 500
	longestName   = 64
	longestText   = 2000     // characters
	longestPrompt = 32 << 10 // bytes
	longestURL    = 2048
	longestKey    = 4096
	mostCalls     = 100_000
	masked        = "********"
)

// ErrInvalid is that of a rule that cannot be taken; the error has a line for each thing that is wrong.
var ErrInvalid = errors.New("it is not valid")

// ErrUnknown says that there is no rule of a name.
var ErrUnknown = errors.New("there is no judge of this name")

// parseRule reads a rule of this name, and gives it its defaults.
func parseRule(name string, text []byte) (r Judge, err error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&r); err != nil {
		return r, fmt.Errorf("%w: it is no JSON object of a judge: %s", ErrInvalid, strings.TrimPrefix(err.Error(), "json: "))
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return r, fmt.Errorf("%w: something follows the object", ErrInvalid)
	}
	if r.Name != "" && r.Name != name {
		return r, fmt.Errorf("%w: name: the path says %q", ErrInvalid, name)
	}
	r.Name = name
	// A zero that was said is none of those that stand for what is absent: who writes it wants nothing judged.
	var said struct {
		Sample   *float64 `json:"sample"`
		MaxCalls *int64   `json:"max_calls_per_day"`
	}
	if err := json.Unmarshal(text, &said); err != nil {
		return r, fmt.Errorf("%w: it is no JSON object of a judge", ErrInvalid)
	}
	if r.Quiet == "" {
		r.Quiet = "1m"
	}
	if said.Sample == nil {
		r.Sample = 1
	}
	if said.MaxCalls == nil {
		r.MaxCalls = 1000
	}
	return r, nil
}

// check says what is wrong with a rule, a line each.
func (r *Judge) check() error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if !validName(r.Name) {
		wrong("name: it has 1 to %d characters of a-z, 0-9, dash, underscore and dot, and begins with a letter or a digit", longestName)
	}
	if !fits(r.Description, longestText) {
		wrong("description: it has at most %d characters", longestText)
	}
	if !(r.Sample > 0 && r.Sample <= 1) {
		wrong("sample: it is above 0, and at most 1; disabled has nothing judged")
	}
	if d, err := time.ParseDuration(r.Quiet); err != nil || d < time.Second || d > time.Hour {
		wrong("quiet: it is from 1s to 1h")
	}
	if r.MaxCalls < 1 || r.MaxCalls > mostCalls {
		wrong("max_calls_per_day: it is 1 to %d; disabled has nothing judged", mostCalls)
	}
	if r.MaxCost != nil && !(*r.MaxCost > 0 && *r.MaxCost <= entity.MostCost) {
		wrong("max_cost_per_day: it is above 0, in US dollars")
	}
	errs = append(errs, r.Score.faults()...)
	errs = append(errs, r.kindFaults()...)
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: %w", ErrInvalid, err)
	}
	return nil
}

// filterFault says why lists of traces do not take the filter.
func (r *Judge) filterFault() error {
	if _, _, err := query.Parse(query.Traces, url.Values{query.FilterParam: {r.filter()}}); err != nil {
		return fmt.Errorf("%w: filter: %s", ErrInvalid, strings.ReplaceAll(err.Error(), "\n", " "))
	}
	return nil
}

func (r *Judge) kindFaults() []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if err := urlFault(r.URL); err != nil {
		errs = append(errs, err)
	}
	if len(r.Key) > longestKey || strings.ContainsFunc(r.Key, func(c rune) bool { return c <= ' ' || c > '~' }) {
		wrong("key: it has at most %d printable characters of ASCII, without blanks", longestKey)
	}
	switch r.Kind {
	case kindLLM:
		if r.Model == "" || !fits(r.Model, longestName*4) {
			wrong("model: the kind llm needs one")
		}
		if r.Prompt == "" || len(r.Prompt) > longestPrompt || !utf8.ValidString(r.Prompt) {
			wrong("prompt: the kind llm needs one, of at most %d bytes", longestPrompt)
		}
		template := wire.PromptTemplate{Content: r.Prompt}
		for _, name := range template.Variables() {
			if !slices.Contains(variables, name) {
				wrong("prompt: it may have {{%s}}, and has {{%s}}", strings.Join(variables, "}}, {{"), name)
			}
		}
		var parameters map[string]json.RawMessage
		if len(r.Parameters) > 0 && (len(r.Parameters) > longestPrompt || json.Unmarshal(r.Parameters, &parameters) != nil) {
			wrong("parameters: they are an object of at most %d bytes", longestPrompt)
		}
		for _, own := range []string{"model", "messages", "stream", "n"} {
			if _, has := parameters[own]; has {
				wrong("parameters: %s is none of them", own)
			}
		}
	case kindWebhook:
		if r.Model != "" || r.Prompt != "" || len(r.Parameters) > 0 {
			wrong("model, prompt, parameters: only the kind llm has them")
		}
		if r.MaxCost != nil {
			wrong("max_cost_per_day: only the kind llm has a cost")
		}
	default:
		wrong("kind: it is llm or webhook")
	}
	return errs
}

func (s *Wanted) faults() []error {
	var errs []error
	wrong := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	if s.Name == "" || !fits(s.Name, 200) || strings.TrimSpace(s.Name) != s.Name {
		wrong("score, name: it has 1 to 200 characters")
	}
	switch s.DataType {
	case entity.Numeric, entity.Boolean, entity.Categorical:
	default:
		wrong("score, data_type: it is %s, %s or %s", entity.Numeric, entity.Boolean, entity.Categorical)
	}
	if s.DataType != entity.Numeric && (s.Min != nil || s.Max != nil) {
		wrong("score, min, max: only %s has them", entity.Numeric)
	}
	if s.Min != nil && s.Max != nil && *s.Min >= *s.Max {
		wrong("score, min: it is below max")
	}
	if (s.DataType == entity.Categorical) != (len(s.Categories) > 0) || len(s.Categories) > 50 {
		wrong("score, categories: %s has 1 to 50, others none", entity.Categorical)
	}
	for i, c := range s.Categories {
		if c == "" || !fits(c, 200) || slices.Contains(s.Categories[:i], c) {
			wrong("score, categories, %d: it has 1 to 200 characters, and is there once", i+1)
		}
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
		return errors.New("url: it is an http:// or https:// address such as https://api.openai.com/v1/chat/completions")
	case u.User != nil || u.Fragment != "":
		return errors.New("url: it holds no name, no password and no fragment")
	case strings.Contains(address, masked):
		return errors.New("url: it is masked: give the whole address")
	}
	return nil
}

func maskedURL(address string) string {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return masked
	case strings.Trim(u.Path, "/") == "" && u.RawQuery == "":
		return address
	}
	return u.Scheme + "://" + u.Host + "/" + masked
}

func fits(s string, most int) bool {
	return utf8.ValidString(s) && utf8.RuneCountInString(s) <= most && !strings.ContainsRune(s, 0)
}

func validName(s string) bool {
	return s != "" && len(s) <= longestName && s[0] != '-' && s[0] != '_' && s[0] != '.' && !strings.ContainsFunc(s, func(c rune) bool {
		return (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.'
	})
}

// quiet is a time that was checked.
func (r *Judge) quiet() time.Duration {
	d, _ := time.ParseDuration(r.Quiet)
	return d
}

// takes says whether a trace is in the sample: by its id alone, so that it is the same for every node and after a start.
func (r *Judge) takes(project, trace string) bool {
	return r.Sample >= 1 || float64(hash(project, r.Name, trace)>>11)/float64(1<<53) < r.Sample
}
