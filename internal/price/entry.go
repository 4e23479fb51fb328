package price

import "time"

// Kind is a kind of tokens that may have a price of its own.
type Kind uint8

// The kinds. Those up to ImageInput are parts of Input, the others of Output; what has no price of its own costs what
// its whole costs.
const (
	Input Kind = iota
	CacheRead
	CacheWrite
	CacheWrite1h
	AudioInput
	ImageInput
	Output
	Reasoning
	AudioOutput
	ImageOutput
	kinds
)

// kindNames are the kinds as books write them.
var kindNames = [kinds]string{"in", "read", "write", "write1h", "audio", "image", "out", "reason", "audio-out", "image-out"}

// String is the kind as a book writes it.
func (k Kind) String() string { return kindNames[k] }

// whole is what the kind is a part of, for prices: an hour in the cache is a part of what is written there.
func (k Kind) whole() Kind {
	switch {
	case k == CacheWrite1h:
		return CacheWrite
	case k < Output:
		return Input
	}
	return Output
}

// Rates are prices of a million tokens, by Kind; None where there is no price of its own.
type Rates [kinds]Amount

// None is no price, which is another thing than 0.
const None Amount = -1

// unpriced are no rates at all.
func unpriced() (r Rates) {
	for k := range r {
		r[k] = None
	}
	return r
}

// rate is what tokens of a kind cost, and as which kind; false when neither it nor its whole has a price.
func (r *Rates) rate(k Kind) (Amount, Kind, bool) {
	for r[k] == None {
		if k == k.whole() {
			return 0, k, false
		}
		k = k.whole()
	}
	return r[k], k, true
}

// Entry is a line of a book: the prices of a model under its conditions.
type Entry struct {
	// What decides whether it holds stands together: an entry is looked at for each call of its model.
	Tier        string // the service tier; "" is the standard one
	Above       int64  // it holds for the whole call when the input has more tokens than this
	from, until int64  // From and Until in Unix seconds
	Hours       Hours  // of the day, UTC; zero: all
	Days        Days   // of the week, UTC; zero: all

	Rates    Rates
	Provider string
	Model    string    // the first of the names in the book that share its prices
	From     time.Time // the first moment at which it holds; zero: always
	Until    time.Time // the first moment at which it no longer holds; zero: never
	Source   string    // the tables or the file that it is from
	URL      string    // the page that the source names for it
	Reason   string    // why this source, where another says otherwise
	Other    *Other    // what the other says
	Line     int       // in the text of the book or the file
}

// Other is what another source says of the same calls.
type Other struct {
	Source string
	Rates  Rates
}

// Hours is a part of the day in minutes from midnight: From ≤ t < Until; over midnight when Until is less than From.
type Hours struct{ From, Until int }

func (h Hours) hold(minute int) bool {
	if h.Until < h.From {
		return minute >= h.From || minute < h.Until
	}
	return h.From <= minute && minute < h.Until
}

// Days are days of the week: bit 1 is Monday, bit 7 Sunday.
type Days uint8

const (
	minuteSeconds = 60
	daySeconds    = 24 * 60 * minuteSeconds
	thursday      = 4 // the day of the week of Unix second 0
)

// holds says whether the entry is in force at a Unix second.
func (e *Entry) holds(at int64) bool {
	if at < e.from || at >= e.until {
		return false
	}
	if e.Hours == (Hours{}) && e.Days == 0 {
		return true
	}
	second := ((at % daySeconds) + daySeconds) % daySeconds
	if e.Hours != (Hours{}) && !e.Hours.hold(int(second/minuteSeconds)) {
		return false
	}
	day := ((at-second)/daySeconds + thursday - 1) % 7
	return e.Days == 0 || e.Days>>((day+7)%7+1)&1 == 1
}

// narrow is how closely the conditions of time are: the narrowest entry that holds counts.
func (e *Entry) narrow() int {
	n := 0
	if e.Hours != (Hours{}) {
		n += 2
	}
	if e.Days != 0 {
		n++
	}
	return n
}

// model is the entries that stand under some names.
type model struct {
	provider string
	name     string
	entries  []Entry
}

// at finds the entry for a call, or the reason why none of them holds.
func (m *model) at(c *Call) (*Entry, Reason) {
	second, tier, reason := c.Start.Unix(), standard(c.Tier), NoTier
	var best *Entry
	for i := range m.entries {
		e := &m.entries[i]
		if e.Tier != tier && !sameTier(e.Tier, tier) {
			continue
		}
		if reason == NoTier {
			reason = NoPriceThen
		}
		if c.Usage.Input <= e.Above && e.Above > 0 || !e.holds(second) {
			continue
		}
		if best == nil || e.narrow() > best.narrow() || e.narrow() == best.narrow() && e.Above > best.Above {
			best = e
		}
	}
	if best != nil {
		return best, Priced
	}
	return nil, reason
}
