package price

import "time"

// Kind is a kind of tokens that may have a price of its own.
type Kind uint8

// The kinds. What has no price of its own costs what its whole costs: the first six Input, the others Output.
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

// Rates are prices of a million tokens, by Kind; None where there is no price of its own.
type Rates [kinds]Amount

// None is no price, which is another thing than 0.
const None Amount = -1

// Entry is a line of a book: the prices of a model under its conditions.
type Entry struct {
	Provider string
	Model    string    // its name in the book
	From     time.Time // the first moment at which it holds; zero: always
	Until    time.Time // the first moment at which it no longer holds; zero: never
	Hours    Hours     // of the day, UTC; zero: all
	Tier     string    // "" is the standard one
	Above    int64     // holds for the whole call when its input has more tokens than this
	Rates    Rates
	Source   string // which table or file it is from
	URL      string // where that table has it from
	Reason   string // why this source, where another says otherwise
	Other    *Other // what another source says
	Line     int    // in the text of the book
}

// Hours is a part of the day in minutes from midnight UTC, From ≤ t < Until; over midnight when Until is less than From.
type Hours struct{ From, Until int }

// Other is what another source says of the same call.
type Other struct {
	Source string
	Rates  Rates
}
