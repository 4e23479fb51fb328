package extract

// The limits of typed fields; each is also said in the error's details.
const (
	// MaxNameLength and MaxLabelLength count characters (Unicode code points).
	MaxNameLength  = 1000
	MaxLabelLength = 255
	// MaxTokens is the largest token count: the largest integer that every JSON
	// reader keeps exactly (RFC 8259 section 6), 2^53 − 1.
	MaxTokens = 1<<53 - 1
	// MaxNumber is the largest magnitude of a cost, latency or score: sums and
	// means over any number of events stay finite.
	MaxNumber = 1e100
)
