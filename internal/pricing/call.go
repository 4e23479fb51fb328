package pricing

import (
	"cmp"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/entity"
	"github.com/brokle-ai/brokle-go/internal/price"
)

// The reasons for no cost that a book does not know.
const (
	noInput   = "the tokens of the prompt are not known"
	noOutput  = "the tokens of the completion are not known"
	zeroSent  = "a cost of 0 was sent with tokens, which does not count"
	overruled = "another cost was sent, which does not count"
	noCall    = "it is no call of a model"
	estimated = "the tokens are an estimate"
)

// Price is entity.Pricer's.
func (p *Pricing) Price(project string, o *entity.ObservationRow) { p.inForce().Price(project, o) }

// Frozen is what holds at a moment, and goes on to: who prices several calls for one answer has them all by the same.
type Frozen struct{ *force }

// Freeze is what holds at this moment.
func (p *Pricing) Freeze() Frozen { return Frozen{p.inForce()} }

// inForce is what holds at this moment.
func (p *Pricing) inForce() *force {
	if is := p.settled.Load(); is != nil {
		return is
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.is
}

// Price is entity.Pricer's.
func (f *force) Price(project string, o *entity.ObservationRow) {
	v, _ := f.verdict(project, o, last)
	v.tell(o)
}

// verdict is what a rule makes of a call.
type verdict struct {
	is     outcome
	costs  entity.Costs
	reason string
}

type outcome uint8

const (
	asSent outcome = iota
	computed
	unpriced
)

// tell says it of the call.
func (v *verdict) tell(o *entity.ObservationRow) {
	switch v.is {
	case computed:
		o.Computed(v.costs, v.reason)
	case unpriced:
		o.Unpriced(v.reason)
	}
}

// judge is what the rule makes of a call that is as it was sent.
func (r *rule) judge(o *entity.ObservationRow) verdict {
	if r.choice == AsSent || r.book == nil {
		return verdict{}
	}
	sent := o.TotalCost != nil && (*o.TotalCost > 0 || !hasTokens(o))
	if sent && r.choice == PreferReported {
		return verdict{}
	}
	zero, other := "", ""
	switch {
	case o.TotalCost == nil:
	case *o.TotalCost == 0 && hasTokens(o):
		zero, other = zeroSent, zeroSent
	case !sent: // below 0, in a log of before these were left out: as if none was sent
	default:
		other = overruled
	}
	var c price.Call
	reason := callOf(o, &c)
	if reason == "" {
		cost, why := r.book.Price(&c)
		if why == price.Priced {
			return verdict{computed, dollars(&cost), other}
		}
		reason = why.String()
	}
	switch {
	case sent:
		return verdict{}
	case zero != "":
		return verdict{is: unpriced, reason: zero + "; " + reason}
	}
	return verdict{is: unpriced, reason: reason}
}

func dollars(c *price.Cost) entity.Costs {
	return entity.Costs{
		Input: c.Input.Dollars(), CacheRead: c.CacheRead.Dollars(), CacheWrite: c.CacheWrite.Dollars(),
		Output: c.Output.Dollars(), Total: c.Total.Dollars(),
	}
}

func hasTokens(o *entity.ObservationRow) bool {
	return count(o.TotalTokens) > 0 || count(o.PromptTokens) > 0 || count(o.CompletionTokens) > 0
}

// count is 0 of what is not known.
func count(n *int64) int64 {
	if n == nil {
		return 0
	}
	return *n
}

// callOf is the observation as a book prices it. A reason says that its tokens cannot be priced.
func callOf(o *entity.ObservationRow, c *price.Call) (reason string) {
	*c = price.Call{Provider: o.Provider, Answered: o.Model, Asked: o.RequestedModel, Tier: cmp.Or(o.ServiceTier, o.RequestedServiceTier), Start: o.StartTime}
	in, out, known := o.PromptTokens, o.CompletionTokens, true
	switch {
	case o.TokenSource == "estimated":
		return estimated
	case in == nil && out == nil && o.TotalTokens == nil:
		return price.NoTokens.String()
	case strings.EqualFold(o.Type, "embedding"): // nothing comes out but numbers
		c.Usage.Input, c.Usage.Output = count(in), count(out)
		if in == nil {
			c.Usage.Input = count(o.TotalTokens) - count(out)
		}
	case in == nil:
		if c.Usage.Input, known = rest(o.TotalTokens, out); !known {
			return noInput
		}
		c.Usage.Output = *out
	case out == nil:
		if c.Usage.Output, known = rest(o.TotalTokens, in); !known {
			return noOutput
		}
		c.Usage.Input = *in
	default:
		c.Usage.Input, c.Usage.Output = *in, *out
	}
	c.Usage.CacheRead, c.Usage.CacheWrite = count(o.CacheReadTokens), count(o.CacheWriteTokens)
	if c.Usage.CacheWrite1h = count(o.CacheWrite1hTokens); o.CacheWriteTokens == nil {
		c.Usage.CacheWrite = c.Usage.CacheWrite1h
	}
	c.Usage.Reasoning, c.Usage.AudioInput, c.Usage.AudioOutput = count(o.ReasoningTokens), count(o.AudioInputTokens), count(o.AudioOutputTokens)
	return ""
}

// rest is what a total has beside one part. A total that is that part says nothing of the other: it may have been made of it.
func rest(total, part *int64) (int64, bool) {
	if total == nil || part == nil || *total <= *part {
		return 0, false
	}
	return *total - *part, true
}
