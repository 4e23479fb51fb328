package wireformat_test

import (
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

func TestLimitsValidate(t *testing.T) {
	t.Parallel()
	if err := (wireformat.Limits{}).Validate(); err != nil {
		t.Error(err)
	}
	err := wireformat.Limits{MaxEvents: -1, MaxPayloadBytes: 1, MaxDepth: 1001}.Validate()
	for _, field := range []string{"MaxEvents", "MaxPayloadBytes", "MaxDepth"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("%v does not name %s", err, field)
		}
	}
}
