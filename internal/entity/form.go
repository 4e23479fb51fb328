package entity

// Form is how the value of a field must be written in a payload.
type Form uint8

// The forms. Where text is wanted "" counts as absent.
const (
	OwnForm     Form = iota // read by code of its own
	IDForm                  // string, 1 to 255 characters
	LabelForm               // as IDForm, or a number, kept as its text
	NameForm                // string, 1 to 1000 characters
	TextForm                // string, number or boolean, kept as its text
	TypeForm                // observation type
	LevelForm               // a level as loggers write them
	FinishForm              // a finish reason
	TierForm                // a service tier
	SourceForm              // where a score comes from
	TimeForm                // any form of brokle.Timestamp
	TokensForm              // whole number
	NumberForm              // finite number
	LatencyForm             // as NumberForm, from 0
	CostForm                // an amount of money
	TagsForm                // list, map or one string
	JSONForm                // anything
)

// String is the form as an error's details say it: a value "must be" so.
func (f Form) String() string { return formRules[f] }

var formRules = [...]string{
	OwnForm:     "any JSON value",
	IDForm:      "a string of 1 to 255 characters without NUL",
	LabelForm:   "a string of 1 to 255 characters without NUL, or a number",
	NameForm:    "a string of 1 to 1000 characters",
	TextForm:    "a string, a number or a boolean",
	TypeForm:    "a string of 1 to 255 characters such as span, llm, generation, event, retrieval, embedding, agent, tool or chain",
	LevelForm:   "one of DEBUG, INFO, WARN, ERROR and DEFAULT, or a word or number that means one of them to every logger",
	FinishForm:  "a string such as stop, length, tool_calls, content_filter or error",
	TierForm:    "a string of 1 to 255 characters such as batch, flex, priority, fast or standard",
	SourceForm:  "one of API, AUTO, HUMAN and EVAL, in any case",
	TimeForm:    "Unix seconds, milliseconds, microseconds or nanoseconds, or a text such as RFC 3339, from 1970 to 9999",
	TokensForm:  "a whole number from 0 to 9007199254740991, or a string that holds one",
	NumberForm:  "a finite number of magnitude at most 1e100, or a string that holds one",
	CostForm:    "a number from 0 to 1e12, or a string that holds one",
	LatencyForm: "a number from 0 to 1e100, or a string that holds one",
	TagsForm:    "a list of strings, an object of strings, or a string",
	JSONForm:    "any JSON value",
}

// MostCost is the largest cost of one observation that is taken, in the client's currency: beyond it something else was counted.
const MostCost = 1e12

// Takes says whether a number is of the form, which is NumberForm, LatencyForm or CostForm. NaN is of none.
func (f Form) Takes(n float64) bool {
	const most = 1e100
	switch f {
	case CostForm:
		return n >= 0 && n <= MostCost
	case LatencyForm:
		return n >= 0 && n <= most
	}
	return n >= -most && n <= most
}
