package otel

import (
	"slices"
	"strings"

	"github.com/brokle-ai/brokle-go/internal/rawjson"
)

// Shown are the attributes as people are shown them, each key once, with its last value. What is left out stays in the span:
// the environment of the process that LangSmith sends, what LiteLLM sends empty, and the numbers of embeddings, of which
// the count stays: the attribute x.vector is shown as x.vector.size.
func Shown(attrs []Attribute) []Attribute {
	shown := make([]Attribute, 0, len(attrs))
	at := make(map[string]int, len(attrs))
	for i := range attrs {
		a := attrs[i]
		if hidden(&a) {
			continue
		}
		if n, isVector := vector(&a); isVector {
			a = Attribute{a.Key + ".size", Value{Type: Int, Int: n}}
		}
		if known, twice := at[a.Key]; twice {
			shown[known] = a
			continue
		}
		at[a.Key] = len(shown)
		shown = append(shown, a)
	}
	return shown
}

func hidden(a *Attribute) bool {
	if strings.HasPrefix(a.Key, "langsmith.metadata.LANGSMITH_") {
		return true
	}
	if strings.HasPrefix(a.Key, "metadata.user_api_key_") {
		switch text := a.Value.String(); {
		case a.Value.Type == Null, text == "", text == "[]", text == "{}", text == "null", text == "None":
			return true
		}
	}
	return false
}

// vector says whether an attribute is an embedding, and of how many numbers.
func vector(a *Attribute) (size int64, is bool) {
	if !strings.HasSuffix(a.Key, ".vector") || !strings.HasPrefix(a.Value.Text, "[") {
		return 0, false
	}
	numbers := rawjson.ElementsOf([]byte(a.Value.Text))
	for {
		if _, ok := numbers.Next(); !ok {
			return size, !numbers.Broken()
		}
		size++
	}
}

// ShownEvents are the events as people are shown them: without the pieces of a stream that MLflow sends one by
// one, and an exception that was recorded twice once.
func ShownEvents(events []Event) []Event {
	var shown []Event
	for i := range events {
		e := &events[i]
		if strings.HasPrefix(e.Name, "mlflow.chunk.item.") || e.Name == "exception" && slices.ContainsFunc(shown, func(s Event) bool {
			return s.Name == e.Name && sameException(s.Attributes, e.Attributes)
		}) {
			continue
		}
		shown = append(shown, *e)
	}
	return shown
}

func sameException(a, b []Attribute) bool {
	for _, key := range []string{"exception.type", "exception.message"} {
		x, _ := find(a, key)
		y, _ := find(b, key)
		if x != y {
			return false
		}
	}
	return true
}

// JSON is the value as plain JSON; bytes are base64, and what is no finite number is null.
func (v Value) JSON() []byte { return v.appendJSON(nil) }
