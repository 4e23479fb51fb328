package modelcall

import (
	"encoding/json"
	"strings"
	"testing"
)

// What has no long text stays byte for byte; media and the ends of long texts are left out, and said to be; nothing is longer than an event takes.
func TestWhatIsTooLongIsShortenedAndSaid(t *testing.T) {
	t.Parallel()
	plain := `[` + strings.Repeat(`{"role":"user", "content":"a \"quoted\\\" text", "n":1.50},`, 100) + `{}]`
	if got := shorten(json.RawMessage(plain)); string(got) != plain {
		t.Errorf("%d bytes became %d", len(plain), len(got))
	}
	image := `{"url":"data:image/png;base64,` + strings.Repeat("iVBORw0K", 1000) + `","n":1.50}`
	if got := string(shorten(json.RawMessage(image))); got != `{"n":1.50,"url":"(data:image/png;base64, 8022 bytes)"}` {
		t.Errorf("an image became %s", got)
	}
	words := strings.Repeat("schön ", 20_000)
	text, _ := json.Marshal(words)
	var got string
	if err := json.Unmarshal(shorten(text), &got); err != nil || !strings.HasPrefix(words, strings.TrimSuffix(got, "… (140000 bytes)")) || len(got) < keptText || len(got) > keptText+30 {
		t.Errorf("%v: a text of %d bytes became %d: …%s", err, len(words), len(got), got[max(0, len(got)-40):])
	}
	long, _ := json.Marshal(strings.Fields(strings.Repeat("word ", 100_000)))
	if got := string(shorten(long)); got != `"(700001 bytes, too many to keep)"` {
		t.Errorf("a long list became %.100s", got)
	}
	if got := shorten(json.RawMessage(`{"cut":"` + strings.Repeat("x", 5000))); got != nil {
		t.Errorf("what is no JSON became %.100s", got)
	}
}

// Of an object that is cut off the members before the cut are read, and of its end the last that are whole.
func TestMembersOfWhatIsCutOff(t *testing.T) {
	t.Parallel()
	got := membersOf([]byte(`{"model":"m","n":[1,{"a":2}],"input":"cut of`))
	if len(got) != 2 || string(got["model"]) != `"m"` || string(got["n"]) != `[1,{"a":2}]` {
		t.Errorf("%s", got)
	}
	if got := membersOf([]byte(`[1]`)); len(got) != 0 {
		t.Errorf("a list has members %s", got)
	}
	tail := []byte(`0.5],"usage":{"a":1},"x":"\"usage\":{}"  ,"usage" : {"a":2},"model":"m","usage":{"cut`)
	if got := string(lastMember(tail, "usage")); got != `{"a":2}` {
		t.Errorf("usage %s", got)
	}
	if got := lastMember(tail, "none"); got != nil {
		t.Errorf("none is %s", got)
	}
}
