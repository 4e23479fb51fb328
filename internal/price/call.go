package price

import "time"

// Usage is what a call used, in tokens, counted one way for every vendor. A detail that nobody sent is 0.
type Usage struct {
	Input        int64 // all input: with CacheRead, CacheWrite, AudioInput and ImageInput
	CacheRead    int64 // of Input, read from a cache
	CacheWrite   int64 // of Input, written to a cache: with CacheWrite1h
	CacheWrite1h int64 // of CacheWrite, kept for an hour
	Output       int64 // all output: with Reasoning, AudioOutput and ImageOutput
	Reasoning    int64 // of Output
	AudioInput   int64 // of Input
	AudioOutput  int64 // of Output
	ImageInput   int64 // of Input
	ImageOutput  int64 // of Output
}

// Call is a call of a model, as far as its price depends on it.
type Call struct {
	Provider  string    // who was called, by any usual name: "openai", "aws.bedrock"; "" when nobody said
	Answered  string    // the model that the answer names
	Asked     string    // the model that the request names; it counts when Answered has no price
	Tier      string    // the service tier: "batch", "flex", "priority"; "" and "default" are the standard one
	Start     time.Time // when it began: the price at this time counts
	Usage     Usage
	Estimated bool // the counts are an estimate, not the provider's
}

// Cost is what a call costs. Total is Input and Output.
type Cost struct {
	Total      Amount
	Input      Amount // with CacheRead and CacheWrite
	CacheRead  Amount
	CacheWrite Amount
	Output     Amount
	Entry      *Entry // whose prices these are; nil without a price
}

// Reason says why a call has no cost.
type Reason uint8

// The reasons. With Priced and Estimated there is a Cost; that of an estimate is one, too.
const (
	Priced      Reason = iota
	NoModel            // the call names no model
	NoPrice            // the book has no price for the model
	Ambiguous          // several providers sell the model, and the call names none
	NoPriceThen        // the book has a price for the model, but not at that time
	NoKind             // the book has a price for the model, but not for all kinds of tokens that the call has
	NoTier             // the book has a price for the model, but not in that service tier
	NoTokens           // the call has no counts of tokens
	BadTokens          // the counts cannot be: negative, or a part is more than the whole
	Estimated          // the counts are estimated
	NoOwn              // the own prices that hold cannot be read
)

// String is the reason in words; of Priced it is "".
func (r Reason) String() string {
	switch r {
	case Priced:
		return ""
	case NoModel:
		return "no model"
	case NoPrice:
		return "no price for the model"
	case Ambiguous:
		return "several providers sell the model and none is named"
	case NoPriceThen:
		return "no price for the model at that time"
	case NoKind:
		return "the price of the model has none for some of the tokens"
	case NoTier:
		return "no price for the service tier"
	case NoTokens:
		return "no tokens"
	case BadTokens:
		return "token counts that cannot be"
	case Estimated:
		return "estimated tokens"
	case NoOwn:
		return "the own prices that hold cannot be read"
	}
	return "unknown reason"
}
