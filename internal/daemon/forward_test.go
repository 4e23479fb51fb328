package daemon

import (
	"slices"
	"strings"
	"testing"
)

// Headers may be repeated, as flags and as lines of the variable, and are never shown.
func TestForwardSettings(t *testing.T) {
	t.Parallel()
	c := Config{ForwardOTLP: "http://127.0.0.1:4318"}
	header := settingNamed("ForwardOTLPHeader")
	for _, text := range []string{"Authorization=Bearer secret", "X-A=1\n X-B=2 \n"} {
		if err := header.Set(&c, text); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.Equal(c.ForwardOTLPHeader, Lines{"Authorization=Bearer secret", "X-A=1", "X-B=2"}) {
		t.Errorf("%q", c.ForwardOTLPHeader)
	}
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
	for _, s := range c.Effective() {
		if strings.Contains(s.Value, "secret") {
			t.Errorf("%s shows %q", s.Field, s.Value)
		}
	}
	for says, c := range map[string]Config{
		"ForwardOTLP (--forward-otlp, BROKLE_FORWARD_OTLP) is set: must be a URL":                          {ForwardOTLP: "collector:4318"},
		"is set: must not hold a name or a password":                                                       {ForwardOTLP: "http://user:secret@h"},
		"ForwardOTLPHeader (--forward-otlp-header, BROKLE_FORWARD_OTLP_HEADER) is ********: must be NAME=": {ForwardOTLP: "http://h", ForwardOTLPHeader: Lines{"secret"}},
		"is ********: needs --forward-otlp":                                                                {ForwardOTLPHeader: Lines{"K=secret"}},
	} {
		if err := c.Validate(); err == nil || !strings.Contains(err.Error(), says) || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v, want %q", err, says)
		}
	}
}
