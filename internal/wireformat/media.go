package wireformat

import (
	"mime"
	"net/http"
	"strings"
)

// NotJSON says what Content-Type must be when it is not JSON's; "" when it is. Absent is taken for JSON.
func NotJSON(h http.Header) (must string) {
	value := h.Get("Content-Type")
	if value == "" {
		return ""
	}
	name, params, err := mime.ParseMediaType(value)
	utf8 := params["charset"] == "" || strings.EqualFold(params["charset"], "utf-8") || strings.EqualFold(params["charset"], "utf8")
	if err != nil || !utf8 || name != "application/json" && !(strings.HasPrefix(name, "application/") && strings.HasSuffix(name, "+json")) {
		return "application/json in UTF-8"
	}
	return ""
}
