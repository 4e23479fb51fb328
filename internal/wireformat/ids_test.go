package wireformat_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/wireformat"
)

// The ids of events are kept: what they are made of must stay what it is, for a request that comes again.
func TestIDs(t *testing.T) {
	t.Parallel()
	ids := wireformat.NewIDs("x_", "p")
	if got := ids.Of([]byte("ab")); got != "x_660efc7065ba968a45f021bc128239e7" {
		t.Errorf("%q", got)
	}
	if a, b := ids.Of([]byte("a"), []byte("b")), ids.Of([]byte("ab")); a != b {
		t.Errorf("%q and %q", a, b)
	}
	if other := wireformat.NewIDs("x_", "pa").Of([]byte("b")); other == ids.Of([]byte("ab")) {
		t.Error("a project and what follows it run together")
	}
}

// The name of a client is a label, whatever stands in its headers.
func TestLangfuseSDK(t *testing.T) {
	t.Parallel()
	for want, c := range map[string]http.Header{
		"":                       {"X-Langfuse-Sdk-Version": {"1"}},
		"langfuse-python/2.60.1": {"X_langfuse_sdk_name": {"python"}, "X_langfuse_sdk_version": {"2.60.1"}},
		"langfuse-js":            {"X-Langfuse-Sdk-Name": {"langfuse-js"}},
		"langfuse-a":             {"X-Langfuse-Sdk-Name": {"a\xff"}},
	} {
		if got := wireformat.LangfuseSDK(c); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := wireformat.LangfuseSDK(http.Header{"X-Langfuse-Sdk-Name": {strings.Repeat("n", 1000)}}); len(got) != 255 {
		t.Errorf("%d bytes", len(got))
	}
}
