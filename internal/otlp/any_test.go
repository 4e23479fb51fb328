package otlp

import (
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/otel"
)

// Plain JSON becomes a value of OTLP that reads as the same JSON.
func TestPlainJSONAsValues(t *testing.T) {
	t.Parallel()
	for _, raw := range []string{`"a\"\u00e9"`, `1`, `-9007199254740993`, `1.5`, `true`, `false`, `null`, `[1,"x",[null,{"k":2.5}]]`, `{"a":{"b":[]},"":{}}`} {
		v, err := valueOf(AppendAny(nil, []byte(raw)))
		got := string(v.JSON())
		if want := strings.ReplaceAll(raw, `\u00e9`, "é"); err != nil || got != want {
			t.Errorf("%s reads as %s, %v", raw, got, err)
		}
	}
	for raw, want := range map[string]string{"1e400": "1e400", "12345678901234567890123": "1.2345678901234568e+22", "1E2": "100"} {
		if v, err := valueOf(AppendAny(nil, []byte(raw))); err != nil || v.String() != want {
			t.Errorf("%s reads as %s, %v", raw, v.String(), err)
		}
	}
	deep := strings.Repeat(`[`, 500) + strings.Repeat(`]`, 500)
	v, err := valueOf(AppendAny(nil, []byte(deep)))
	if err != nil || v.Type != otel.List || !strings.Contains(string(v.JSON()), `["[[[`) {
		t.Errorf("what is too deep: %v %.200s", err, v.JSON())
	}
}
