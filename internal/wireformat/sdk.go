package wireformat

import (
	"net/http"
	"strings"
)

// LangfuseSDK is the client of Langfuse with its version as its headers say them, such as
// "langfuse-python/2.60.10"; "" when they do not. Python 2 writes their names with underscores.
func LangfuseSDK(h http.Header) string {
	get := func(name string) string {
		if text := h.Get(name); text != "" {
			return text
		}
		return h.Get(strings.ReplaceAll(name, "-", "_"))
	}
	name, version := get("x-langfuse-sdk-name"), get("x-langfuse-sdk-version")
	if name == "" {
		return ""
	}
	name = "langfuse-" + strings.TrimPrefix(name, "langfuse-")
	if version != "" {
		name += "/" + version
	}
	const longest = 255 // as a label
	return strings.ToValidUTF8(name[:min(len(name), longest)], "")
}
