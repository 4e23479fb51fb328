package price

// Explanation is how a price came about.
type Explanation struct {
	Reason Reason
	Cost   Cost
	Parts  []Part
	Entry  *Entry // nil without a price
	Book   string // its version
	Name   string // which of the call's names found the model
	As     string // the same name as the book spells it
	Rule   string // how one became the other
	Other  string // the source that says otherwise by more than 1 %; "" when none does
	Would  Amount // the total by Other
}

// Explain prices a call and says how.
func (b *Book) Explain(c *Call) Explanation {
	var p parts
	cost, f, reason := b.price(c, &p)
	x := Explanation{Reason: reason, Cost: cost, Entry: cost.Entry, Book: b.version}
	if f != nil {
		x.Name, x.As, x.Rule = f.name, f.as, f.rule
	}
	if cost.Entry == nil {
		return x
	}
	x.Parts = p.all[:p.n]
	if cost.Entry.Other == nil {
		return x
	}
	var q parts
	other, why := q.charge(&c.Usage, &cost.Entry.Other.Rates)
	if why == Priced && apart(cost.Total, other.Total) {
		x.Other, x.Would = cost.Entry.Other.Source, other.Total
	}
	return x
}

// apart says whether two totals differ by more than 1 % of the first.
func apart(a, b Amount) bool {
	difference := a - b
	if difference < 0 {
		difference = -difference
	}
	return difference > a/100
}
