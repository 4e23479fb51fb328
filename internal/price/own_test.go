package price

import (
	"fmt"
	"strings"
	"testing"
)

const ownExample = `[
  {"model": "gpt-4o", "provider": "openai", "input": 2, "output": "8.5"},
  {"model": "gpt-4o", "provider": "openai", "from": "2026-06-01", "input": 1.5, "cache_read": 0.75, "output": 8},
  {"model": "gpt-4o", "provider": "openai", "project": "acme", "input": 1, "output": 4},
  {"model": "prod-chat-eu", "provider": "azure.ai.openai", "input": 2.75, "output": 11, "until": "2027-01-01T00:00:00+01:00"},
  {"model": "^llama-acme-", "input": 0, "output": 0, "hours": "22:00-06:00", "days": "67"},
  {"model": "~^ft:gpt-4o-mini.*:acme:", "provider": "openai", "input": 0.1, "output": 0.4, "above": 1000, "tier": "batch"}
]`

func ownBooks(t *testing.T, text string) *Prices {
	t.Helper()
	list, err := ParseOwn("prices.json", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return NewPrices(Builtin(), list)
}

// Own prices add and override, for a project, from a date; where they do not hold the book does.
func TestOwnPrices(t *testing.T) {
	t.Parallel()
	prices := ownBooks(t, ownExample)
	for _, c := range []struct{ project, provider, model, tier, start, want, source string }{
		{"", "openai", "gpt-4o", "", "2026-05-31T23:59:59Z", "10.5", "prices.json"},
		{"", "openai", "gpt-4o", "", "2026-06-01T00:00:00Z", "9.5", "prices.json"},
		{"other", "openai", "openai/gpt-4o-2024-12-24", "", "2026-06-01T00:00:00Z", "9.5", "prices.json"},
		{"acme", "openai", "gpt-4o", "", "2026-06-01T00:00:00Z", "5", "prices.json"},
		{"acme", "openai", "gpt-4o", "batch", "2026-06-01T00:00:00Z", "6.25", "genai-prices 0.2.3, litellm 1.110.2"},
		{"acme", "azure", "gpt-4o", "", "2026-06-01T00:00:00Z", "12.5", "litellm 1.110.2"}, // for openai only
		{"acme", "azure", "prod-chat-eu", "", "2026-12-31T22:59:59Z", "13.75", "prices.json"},
		{"acme", "azure", "prod-chat-eu", "", "2026-12-31T23:00:00Z", "no price for the model at that time", ""},
		{"acme", "vllm", "llama-acme-7b", "", "2026-11-28T23:00:00Z", "0", "prices.json"},
		{"acme", "vllm", "llama-acme-7b", "", "2026-11-27T23:00:00Z", "no price for the model at that time", ""},
		{"", "openai", "ft:gpt-4o-mini-2024-07-18:acme:x:y", "batch", "2026-11-27T23:00:00Z", "0.5", "prices.json"},
		{"", "openai", "ft:gpt-4o-mini-2024-07-18:else:x:y", "batch", "2026-11-27T23:00:00Z", "0.75", "genai-prices 0.2.3, litellm 1.110.2"},
	} {
		cost, reason := prices.For(c.project).Price(&Call{Provider: c.provider, Asked: c.model, Tier: c.tier, Start: moment(t, c.start), Usage: Usage{Input: million, Output: million}})
		got, source := cost.Total.String(), ""
		if reason != Priced {
			got = reason.String()
		} else {
			source, _, _ = strings.Cut(cost.Entry.Source, "!")
		}
		if got != c.want || source != c.source {
			t.Errorf("%+v: %s from %q", c, got, source)
		}
	}
	if b := prices.For("acme"); b != prices.For("acme") || prices.For("x") != prices.For("") {
		t.Error("a book is made anew for each question, and remembers no names")
	}
	base := Builtin()
	if NewPrices(base, nil).For("acme") != base {
		t.Error("without own prices the book is another one")
	}
}

// What is wrong is told by line and model, all of it at once.
func TestOwnPricesAreChecked(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`[{"model": "a", "input": 1}]`: "",
		`[]`:                           "",
		"[\n{\"model\": \"a\",\n\"input\": -1},\n{\"model\": \"b\", \"outputs\": 1, \"from\": \"soon\"}]": "own prices: \"a\": line 3, input: want a decimal number of US dollars, 0 or more, below 9,000,000 and with at most 12 decimals\n" +
			"\"b\": line 4, outputs: want a text, or there is no such key: \"outputs\"\n\"b\": line 4, from: want a date, 2026-01-31, or a moment, 2026-01-31T12:00:00Z",
		`[{"input": 1}]`:   `"": line 1: an empty name`,
		`[{"model": "a"}]`: `"a": line 1: it has no price`,
		`[{"model": "a", "input": 1}, {"model": "a", "output": 1}]`:                 `"a": lines 1 and 1 hold from the same time`,
		`[{"model": "a", "input": 1, "input": 2}]`:                                  "input: it is there twice",
		`[{"model": "a", "input": 1e-6}]`:                                           "input: want a decimal",
		`[{"model": "a", "input": null}]`:                                           "input: want a decimal",
		`[{"model": "a", "input": 1, "x": "1"}]`:                                    "x: there is no such key",
		`[{"model": "a", "input": 1, "above": 1.5}]`:                                "above: ",
		`[{"model": "a", "input": 1, "above": "1"}]`:                                "above: want a number of tokens",
		`[{"model": "a", "input": 1, "provider": "acme"}]`:                          `provider: "acme" is no provider that the price book knows`,
		`[{"model": "~(", "input": 1}]`:                                             "model: the pattern",
		`[{"model": "a", "input": 1, "from": "2026-02-01", "until": "2026-02-01"}]`: "until is not after from",
		`[{"model": "a", "input": {"text": 1}}]`:                                    `line 1: input: want a text or a number, not "{"`,
		`{"model": "a"}`:                                                            `line 1: want "["`,
		`[1]`:                                                                       `want "{"`,
		`[{"model": "a", "input": 1}`:                                               "the JSON ends too early",
		"[\n{\"model\": \"a\",\n\"input\": 1,}]":                                    "line 3: ",
		`[{"model": "a", "input": 1}] []`:                                           "something follows the array",
		"":                                                                          "the JSON ends too early",
		"[" + strings.Repeat(`{"model":"a","input":1},`, mostOwn) + `{"model":"b"}]`: fmt.Sprintf("there are more than %d", mostOwn),
	} {
		list, err := ParseOwn("prices.json", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || list != nil) {
			t.Errorf("%.200s: %v, want %s", text, err, want)
		}
	}
}

// Whatever is sent as own prices is taken or refused, and what is taken can be asked.
func FuzzParseOwn(f *testing.F) {
	f.Add([]byte(ownExample))
	f.Add([]byte(`[{"model":"^","input":1}]`))
	f.Add([]byte(`[{"model":"=a","input":0.5,"from":"2026-01-01"},{"model":"a","input":1}]`))
	empty := &Book{}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := ParseOwn("f", data)
		if err != nil {
			return
		}
		prices := NewPrices(newBook("", "", empty.layers...), list)
		for _, o := range list {
			book := prices.For(o.Project)
			name := strings.TrimLeft(o.Name, "=^~")
			cost, reason := book.Price(&Call{Provider: o.Entry.Provider, Asked: name, Start: o.Entry.From, Tier: o.Entry.Tier, Usage: Usage{Input: 1000, Output: 10}})
			if cost.Total < 0 || cost.Total != cost.Input+cost.Output || (reason != Priced && cost.Total != 0) {
				t.Errorf("%q: %+v %q", o.Name, cost, reason)
			}
		}
	})
}
