package price

// Book is prices that hold together. It may be used from many goroutines.
type Book struct {
	version string
}

// Builtin is the book in the binary.
func Builtin() *Book { return &Book{version: "empty"} }

// Version names the book by the tables that it was made from.
func (b *Book) Version() string { return b.version }

// Price is what a call costs, or why it has no cost.
func (b *Book) Price(c *Call) (Cost, Reason) {
	if c.Answered == "" && c.Asked == "" {
		return Cost{}, NoModel
	}
	return Cost{}, NoPrice
}

// Explanation is how a price came about.
type Explanation struct {
	Reason Reason
	Cost   Cost
	Parts  []Part
	Entry  *Entry
	Book   string // its version
	Name   string // which of the call's names found the model
	Rule   string // how it did
	Other  string // the source that says otherwise by more than 1 %; "" when none does
	Would  Amount // the total by Other
}

// Part is tokens of one kind and what they cost.
type Part struct {
	Kind   Kind
	As     Kind // whose price it is: another than Kind when that has none of its own
	Tokens int64
	Rate   Amount // of a million
	Amount Amount
}

// Explain prices a call and says how.
func (b *Book) Explain(c *Call) Explanation {
	cost, reason := b.Price(c)
	return Explanation{Reason: reason, Cost: cost, Entry: cost.Entry, Book: b.version}
}
