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
	noCall    = "it is no call of a model"
	estimated = "the tokens are an estimate"
)

// Price is entity.Pricer's.
func (p *Pricing) Price(project string, o *entity.ObservationRow) {
	p.mu.RLock()
	defer p.mu.RUnlock()
	choice, book := p.is.of(project, startOf(o), o.First())
	if choice == AsSent {
		return
	}
	sent := o.TotalCost != nil && (*o.TotalCost > 0 || !hasTokens(o))
	if sent && choice == PreferReported {
		return
	}
	zero := ""
	if o.TotalCost != nil && *o.TotalCost == 0 && hasTokens(o) {
		zero = zeroSent
	}
	var c price.Call
	reason := callOf(o, &c)
	if reason == "" {
		cost, why := book.Price(&c)
		if why == price.Priced {
			o.Computed(dollars(&cost), zero)
			return
		}
		reason = why.String()
	}
	switch {
	case sent || o.TotalCost != nil && zero == "": // less than 0 is what somebody said
	case zero != "":
		o.Unpriced(zero + "; " + reason)
	default:
		o.Unpriced(reason)
	}
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
