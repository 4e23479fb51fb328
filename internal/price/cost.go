package price

// Part is tokens of one kind and what they cost.
type Part struct {
	Kind   Kind
	As     Kind // whose price it is: another than Kind when that has none of its own
	Tokens int64
	Rate   Amount // of a million
	Amount Amount
}

// parts are what a cost is added up from. Each is rounded once, half to even.
type parts struct {
	all [kinds]Part
	n   int
}

// sound says whether the counts can be: none is negative, and no part is more than its whole.
func (u *Usage) sound() bool {
	if u.CacheRead|u.CacheWrite1h|u.AudioInput|u.ImageInput|u.Reasoning|u.AudioOutput|u.ImageOutput|u.Output < 0 { // the sign of one
		return false
	}
	return u.CacheWrite1h <= u.CacheWrite && u.CacheRead <= u.Input && u.CacheWrite <= u.Input-u.CacheRead &&
		u.AudioInput <= u.Input && u.ImageInput <= u.Input &&
		u.Reasoning <= u.Output && u.AudioOutput <= u.Output && u.ImageOutput <= u.Output
}

// split is the tokens by the kind that they are charged as. What is read from a cache counts as that also when it is audio
// or an image, because nobody says how much of these was.
func (u *Usage) split() (tokens [kinds]int64) {
	rest := u.Input - u.CacheRead - u.CacheWrite
	tokens[CacheRead] = u.CacheRead
	tokens[CacheWrite], tokens[CacheWrite1h] = u.CacheWrite-u.CacheWrite1h, u.CacheWrite1h
	tokens[AudioInput] = min(u.AudioInput, rest)
	tokens[ImageInput] = min(u.ImageInput, rest-tokens[AudioInput])
	tokens[Input] = rest - tokens[AudioInput] - tokens[ImageInput]
	rest = u.Output
	tokens[AudioOutput] = min(u.AudioOutput, rest)
	tokens[ImageOutput] = min(u.ImageOutput, rest-tokens[AudioOutput])
	rest -= tokens[AudioOutput] + tokens[ImageOutput]
	tokens[Reasoning] = min(u.Reasoning, rest)
	tokens[Output] = rest - tokens[Reasoning]
	return tokens
}

// plain says of sound counts that nobody told the parts of the input and the output, as of most calls: they are charged as these.
func (u *Usage) plain() bool {
	return u.CacheRead|u.CacheWrite|u.AudioInput|u.ImageInput|u.Reasoning|u.AudioOutput|u.ImageOutput == 0
}

// charge prices sound counts at some rates. A nil p keeps no parts.
func (p *parts) charge(u *Usage, rates *Rates) (cost Cost, reason Reason) {
	if u.plain() {
		if reason = p.part(&cost, Input, u.Input, rates); reason == Priced {
			reason = p.part(&cost, Output, u.Output, rates)
		}
	} else {
		tokens := u.split()
		for k := Input; k < kinds && reason == Priced; k++ {
			reason = p.part(&cost, k, tokens[k], rates)
		}
	}
	if reason != Priced {
		return Cost{}, reason
	}
	return cost, Priced
}

// part adds what tokens of one kind cost.
func (p *parts) part(cost *Cost, kind Kind, tokens int64, rates *Rates) Reason {
	if tokens == 0 {
		return Priced
	}
	rate, as, ok := rates.rate(kind)
	if !ok {
		return NoKind
	}
	amount, ok := rate.times(tokens)
	if !ok || cost.Total > mostAmount-amount {
		return BadTokens
	}
	if p != nil {
		p.all[p.n] = Part{Kind: kind, As: as, Tokens: tokens, Rate: rate, Amount: amount}
		p.n++
	}
	cost.add(kind, amount)
	return Priced
}

func (c *Cost) add(k Kind, amount Amount) {
	c.Total += amount
	switch {
	case k >= Output:
		c.Output += amount
		return
	case k == CacheRead:
		c.CacheRead += amount
	case k == CacheWrite, k == CacheWrite1h:
		c.CacheWrite += amount
	}
	c.Input += amount
}
