package brokle

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"sync"
	"time"

	"github.com/brokle-ai/brokle-go/internal/wire"
)

const pathPrompts = "/v1/prompts"

// PromptVersion is one version of a prompt: what Client.Prompt returns. Compile, CompileText and CompileMessages put values in the places of its variables.
type PromptVersion = wire.PromptVersion

// PromptTemplate is Content, or Messages. In both {{name}} stands for a variable.
type PromptTemplate = wire.PromptTemplate

// PromptMessage is a message of a chat.
type PromptMessage = wire.PromptMessage

// MissingVariablesError says which variables of a prompt were given no value.
type MissingVariablesError = wire.MissingVariablesError

// The types of prompts, and labels that mean something to everybody.
const (
	PromptText       = wire.PromptText
	PromptChat       = wire.PromptChat
	PromptLatest     = wire.PromptLatest     // always the newest version's
	PromptProduction = wire.PromptProduction // what Client.Prompt asks for by default
)

// How long prompts are used without asking again.
const (
	promptFresh = time.Minute
	promptRetry = 5 * time.Second // after an answer that could not be had
	promptWait  = 5 * time.Second // for an answer, where there is a fallback
	maxPrompts  = 1000            // that are kept; beyond it the one that was asked for longest ago goes
)

// PromptOption says which version of a prompt is wanted, and what to do without it.
type PromptOption func(*promptAsk)

// promptAsk is what options say.
type promptAsk struct {
	promptKey
	fresh    time.Duration
	fallback *PromptVersion
}

// promptKey tells cached versions apart.
type promptKey struct {
	name, label string
	version     int
}

// PromptLabel asks for the version that has a label now, such as "staging"; that of latest is the newest. Default: production.
func PromptLabel(label string) PromptOption {
	return func(a *promptAsk) { a.label, a.version = label, 0 }
}

// PromptNumber asks for one version, from 1. What it says never changes: it is asked for once in the life of the client.
func PromptNumber(version int) PromptOption {
	return func(a *promptAsk) { a.label, a.version = "", version }
}

// PromptFreshFor is for how long an answer is used before it is asked for again, in the background. Default 1 minute; 0 or less asks each time, and waits.
func PromptFreshFor(d time.Duration) PromptOption { return func(a *promptAsk) { a.fresh = d } }

// FallbackText is the text that is used when the server has never given the prompt: it is away, or has no such prompt.
func FallbackText(content string) PromptOption {
	return fallback(PromptText, PromptTemplate{Content: content})
}

// FallbackMessages is FallbackText of a chat.
func FallbackMessages(messages ...PromptMessage) PromptOption {
	return fallback(PromptChat, PromptTemplate{Messages: messages})
}

func fallback(typ string, t PromptTemplate) PromptOption {
	return func(a *promptAsk) {
		a.fallback = &PromptVersion{Type: typ, Template: t, Variables: t.Variables(), Tags: []string{}, Labels: []string{}, IsFallback: true}
	}
}

// OfPrompt says of an observation which version of a prompt its input was made from: Prompt with its name and its number, or "fallback".
func OfPrompt(p *PromptVersion) Option {
	if p == nil {
		return nil
	}
	return Prompt(p.Name, p.Said())
}

// Prompt returns a version of a prompt, which is not to be changed. A version that was given once is kept: for a minute (PromptFreshFor) it is returned as it is, and
// afterwards too, while it is asked for again in the background. So only the first call for a prompt waits, and while the server is away what it gave last is used, for however
// long. What was never given comes from the fallback (FallbackText, FallbackMessages), after at most 5 s; without a fallback the error says why, after the retries of the
// Config. After a failure the fallback is used for 5 s without asking. That a prompt was deleted ends its use: then there is the fallback, or an error that IsNotFound tells.
//
// A client without a key, and a nil one, return the fallback, or ErrDisabled.
func (c *Client) Prompt(ctx context.Context, name string, opts ...PromptOption) (*PromptVersion, error) {
	a := promptAsk{promptKey: promptKey{name: name, label: PromptProduction}, fresh: promptFresh}
	for _, o := range opts {
		if o != nil {
			o(&a)
		}
	}
	if a.fallback != nil {
		a.fallback.Name = name
	}
	if !c.enabled() {
		return a.instead(ErrDisabled)
	}
	if name == "" {
		return nil, errors.New("brokle: prompt: it needs a name")
	}
	return c.prompts.get(ctx, c, &a)
}

// instead is the fallback, or why there is nothing else.
func (a *promptAsk) instead(err error) (*PromptVersion, error) {
	if a.fallback != nil {
		return a.fallback, nil
	}
	return nil, err
}

// prompts is the versions that a client knows.
type prompts struct {
	mu     sync.Mutex // guards what follows
	all    map[promptKey]*knownPrompt
	asking sync.WaitGroup // goroutines that ask
	ended  bool
	end    context.CancelFunc
	ctx    context.Context // of these goroutines
}

// knownPrompt is what is known of one.
type knownPrompt struct {
	version *PromptVersion // nil: the server has not given it
	at      time.Time      // of the answer
	failed  time.Time      // of the last failure; zero after an answer
	err     error          // of that
	used    time.Time
	done    chan struct{} // closed when who asks has an answer; nil: nobody asks
}

// get is Client.Prompt of an enabled client.
func (p *prompts) get(ctx context.Context, c *Client, a *promptAsk) (*PromptVersion, error) {
	is, wait := p.known(c, a, time.Now())
	if wait != nil {
		if a.fallback != nil {
			var cancel context.CancelFunc
			ctx, cancel = context.WithTimeout(ctx, promptWait)
			defer cancel()
		}
		select {
		case <-wait:
		case <-ctx.Done():
		}
	}
	p.mu.Lock()
	version, err := is.version, is.err
	p.mu.Unlock()
	switch {
	case version != nil:
		return version, nil
	case err == nil: // nobody has an answer yet
		err = fmt.Errorf("brokle: prompt %s: %w", a.name, context.Cause(ctx))
	}
	return a.instead(err)
}

// known is what there is of a prompt, and what to wait for; nil: nothing. Where it is asked for, somebody does.
func (p *prompts) known(c *Client, a *promptAsk, now time.Time) (is *knownPrompt, wait <-chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	is = p.all[a.promptKey]
	if is == nil {
		is = &knownPrompt{}
		p.add(a.promptKey, is)
	}
	is.used = now
	fresh := is.version != nil && (a.version != 0 || now.Sub(is.at) < a.fresh)
	if !is.failed.IsZero() && now.Sub(is.failed) < promptRetry && (is.version != nil || a.fallback != nil) {
		fresh = true
	}
	if fresh {
		return is, nil
	}
	if is.done == nil {
		p.ask(c, a.promptKey, is)
	}
	if is.version != nil && a.fresh > 0 {
		return is, nil
	}
	return is, is.done
}

// add keeps one more. The mutex is held.
func (p *prompts) add(key promptKey, is *knownPrompt) {
	if len(p.all) >= maxPrompts {
		var oldest promptKey
		var since time.Time
		for key, k := range p.all {
			if k.done == nil && (since.IsZero() || k.used.Before(since)) {
				oldest, since = key, k.used
			}
		}
		delete(p.all, oldest)
	}
	if p.all == nil {
		p.all = map[promptKey]*knownPrompt{}
	}
	p.all[key] = is
}

// ask has a goroutine ask the server. The mutex is held.
func (p *prompts) ask(c *Client, key promptKey, is *knownPrompt) {
	is.done = make(chan struct{})
	if p.ended {
		p.answered(is, nil, ErrClosed)
		return
	}
	if p.ctx == nil {
		p.ctx, p.end = context.WithCancel(context.Background())
	}
	ctx := p.ctx
	p.asking.Go(func() {
		version, err := c.fetchPrompt(ctx, key)
		p.mu.Lock()
		defer p.mu.Unlock()
		p.answered(is, version, err)
	})
}

// answered notes an answer. The mutex is held.
func (p *prompts) answered(is *knownPrompt, version *PromptVersion, err error) {
	now := time.Now()
	switch {
	case err == nil:
		is.version, is.at, is.failed, is.err = version, now, time.Time{}, nil
	case IsNotFound(err):
		is.version, is.failed, is.err = nil, now, err
	default:
		is.failed, is.err = now, err
	}
	close(is.done)
	is.done = nil
}

// close ends those who ask, and waits for them.
func (p *prompts) close() {
	p.mu.Lock()
	p.ended = true
	if p.end != nil {
		p.end()
	}
	p.mu.Unlock()
	p.asking.Wait()
}

// fetchPrompt asks the server.
func (c *Client) fetchPrompt(ctx context.Context, key promptKey) (*PromptVersion, error) {
	query := url.Values{}
	if key.version != 0 {
		query.Set("version", strconv.Itoa(key.version))
	}
	if key.label != "" {
		query.Set("label", key.label)
	}
	type envelope struct {
		Data *PromptVersion `json:"data"`
	}
	answer, err := get[envelope](ctx, c, pathPrompts+"/"+url.PathEscape(key.name), query)
	if err != nil {
		return nil, err
	}
	if answer.Data == nil {
		return nil, &RequestError{Method: http.MethodGet, Path: pathPrompts, StatusCode: http.StatusOK, Message: "the answer has no prompt"}
	}
	return answer.Data, nil
}
