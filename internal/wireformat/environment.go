package wireformat

import (
	"strings"

	"github.com/brokle-ai/brokle-go/internal/ingest"
)

// DefaultEnvironment is the environment of a batch that names none.
const DefaultEnvironment = "default"

// Environment resolves the batch's environment: the body's beats the header's.
// It is lower-case letters, digits, '-', '_' and '.', at most 40, not starting
// with "brokle". The error is a *ingest.RequestError.
func Environment(body, header string) (string, error) {
	name := body
	if name == "" {
		name = strings.TrimSpace(header)
	}
	if name == "" {
		return DefaultEnvironment, nil
	}
	if len(name) > 40 || strings.HasPrefix(name, "brokle") {
		return "", BadEnvironment()
	}
	for i := range len(name) {
		c := name[i]
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') && c != '-' && c != '_' && c != '.' {
			return "", BadEnvironment()
		}
	}
	return name, nil
}

// BadEnvironment refuses a request for its environment.
func BadEnvironment() error {
	return &ingest.RequestError{Code: CodeInvalidEnvironment, Message: "environment must be at most 40 lower-case letters, " +
		"digits, '-', '_' and '.', and must not start with \"brokle\""}
}
