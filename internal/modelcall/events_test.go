package modelcall

import (
	"slices"
	"testing"
)

// Lines end as WHATWG HTML §9.2 has it: with CR, LF or both.
func TestEventsAreCutAsTheStandardSays(t *testing.T) {
	t.Parallel()
	for stream, want := range map[string][]string{
		"data: a\r\ndata: b\r\n\r\ndata: c\r\n\r\n":        {"a\nb", "c"},
		"data: a\rdata:  b\r\r":                            {"a\n b"},
		": note\nid: 1\nevent: x\ndata:a\n\nretry: 3\n\n":  {"a"},
		"data: no blank line at the end":                   {"no blank line at the end"},
		"data\n\ndata:\n\n":                                nil,
		"data: a\n\n{\n \"data\": {\n }\n}\n\ndata: b\n\n": {"a", "{\n\"data\": {\n}\n}", "b"},
		"data: a\n{no JSON of its own\n\n":                 {"a"},
	} {
		for step := 1; step < 20; step++ {
			var e events
			var got []string
			found := func(data []byte) { got = append(got, string(data)) }
			for part := range slices.Chunk([]byte(stream), step) {
				e.take(part, found)
			}
			if e.rest(found); !slices.Equal(got, want) {
				t.Errorf("%q in reads of %d: %q, want %q", stream, step, got, want)
			}
		}
	}
}

// FuzzEvents: however a stream is cut into reads, its events are the same, and no shape panics on them.
func FuzzEvents(f *testing.F) {
	for _, s := range []string{
		"data: a\n\ndata: b\ndata: c\n\n", "event: x\r\ndata:a\r\n\r\ndata: b\r\r", ": note\n\ndata\n\n\ndata: cut", "id: 1\ndata: {\"choices\":[{\"index\":-1}]}\n\n",
		`data: {"type":"content_block_delta","index":99999,"delta":{"text":"x"}}` + "\n\n", `data: {"candidates":[{"content":{"parts":[{"text":"x"},7]}}]}` + "\n\n",
	} {
		f.Add([]byte(s), uint8(3))
	}
	f.Fuzz(func(t *testing.T, stream []byte, step uint8) {
		read := func(step int) (all []string) {
			var e events
			found := func(data []byte) { all = append(all, string(data)) }
			for part := range slices.Chunk(stream, step) {
				e.take(part, found)
			}
			e.rest(found)
			return all
		}
		whole, parts := read(len(stream)+1), read(int(step)+1)
		if !slices.Equal(whole, parts) {
			t.Errorf("in reads of %d bytes %q, at once %q", int(step)+1, parts, whole)
		}
		for _, sh := range []*shape{openAIChat, openAIResponses, openAIEmbeddings, openAIImages, anthropicMessages, geminiGenerate, geminiEmbed} {
			var a answer
			for _, data := range whole {
				if sh.piece != nil {
					sh.piece(&a, []byte(data))
				}
				sh.whole(&a, []byte(data))
				sh.ask([]byte(data), true)
			}
			if sh.built != nil {
				sh.built(&a)
			}
		}
	})
}
