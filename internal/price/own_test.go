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
	list, err := ParseOwn("prices.json", "", []byte(text))
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

// What is wrong is told by line and model, all of it at once, with what was expected.
func TestOwnPricesAreChecked(t *testing.T) {
	t.Parallel()
	many := "[" + strings.Repeat(`{"model":"a","input":-1},`, 150) + `{"model":"b","output":1}]`
	for text, want := range map[string]string{
		`[{"model": "a", "input": 1}]`: "",
		`[]`:                           "",
		`[{"model": "a", "input": 1, "tier": "default"}]`:  "",
		`[{"model": "a", "input": 1, "tier": "Priority"}]`: "",
		`[{"input": 1}]`:              `line 1: it has no model`,
		`[{"model": "", "input": 1}]`: `line 1, model: an empty name`,
		`[{"model": "a"}]`:            `"a": line 1: it has no price; one that is free has input and output 0`,
		`[{"model": "a", "input": 1}, {"model": "a", "output": 1}]`:                 `"a": lines 1 and 1 are for the same calls: give them another from, tier, above, hours, days or provider`,
		`[{"model": "a", "input": 1, "input": 2}]`:                                  `"a": line 1, input: it is there twice`,
		`[{"model": "a", "input": 1e-6}]`:                                           `"a": line 1, input: ` + errAmount.Error(),
		`[{"model": "a", "input": null}]`:                                           `"a": line 1, input: ` + errAmount.Error() + ", not null",
		`[{"model": "a", "input": {"text": [1, {}]}, "output": 1}]`:                 `"a": line 1, input: ` + errAmount.Error() + ", not an object",
		`[{"model": ["a"], "input": 1}]`:                                            `line 1, model: want a text, not an array`,
		`[{"model": "a", "input": 1, "x": "1"}]`:                                    `"a": line 1, x: there is no such key: want model, provider, project, from, until, tier, above, hours, days or a price (input, cache_read, cache_write, cache_write_1h, audio_input, image_input, output, reasoning, audio_output, image_output)`,
		`[{"model": "a", "input": 1, "above": 1.5}]`:                                `"a": line 1, above: want a whole number of tokens above 0`,
		`[{"model": "a", "input": 1, "above": "1"}]`:                                `"a": line 1, above: want a whole number of tokens above 0`,
		`[{"model": "a", "input": 1, "tier": "gold"}]`:                              `"a": line 1, tier: "gold" is no service tier: want batch, fast, flex, priority, provisioned_throughput, reserved, scale, or standard, which it is when it is left out`,
		`[{"model": "a", "input": 1, "from": "soon"}]`:                              `"a": line 1, from: want a date, 2026-01-31, or a moment, 2026-01-31T12:00:00Z`,
		`[{"model": "~(", "input": 1}]`:                                             "line 1, model: the pattern",
		`[{"model": "a", "input": 1, "from": "2026-02-01", "until": "2026-02-01"}]`: `"a": line 1: until is not after from`,
		`[{"model": "a", "input": 1, "project": "other"}]`:                          `"a": line 1, project: "other" is another project than that of the key, "shop"`,
		`{"model": "a"}`:                         `line 1: want an array of objects, as in docs/costs.md: [{"model": "gpt-4o", "input": 2.5, "output": 10}]`,
		`[1, {"model": "a", "input": 1}, "x"]`:   "line 1: want an object with a model and its prices, not a number\nline 1: want an object with a model and its prices, not a text",
		`[{"model": "a", "input": 1}`:            "line 1: the JSON ends too early",
		"[\n{\"model\": \"a\",\n\"input\": 1,}]": "line 3: this is no JSON: ",
		`[{"model": "a", "input": 1}] []`:        "line 1: something follows the array",
		"":                                       "line 1: the JSON ends too early",
		"[" + strings.Repeat(`{"model":"a","input":1},`, mostOwn) + `{"model":"b"}]`: fmt.Sprintf("there are more than %d", mostOwn),
		many: "and 50 more",
	} {
		list, err := ParseOwn("prices.json", "shop", []byte(text))
		if want == "" && err != nil || want != "" && (err == nil || !strings.Contains(err.Error(), want) || list != nil) {
			t.Errorf("%.200s: %v, want %s", text, err, want)
		}
	}
}

// One reading of a file tells everything that is wrong with it, also behind what could not be read, in the order of its lines.
func TestAllThatIsWrongAtOnce(t *testing.T) {
	t.Parallel()
	_, err := ParseOwn("prices.json", "shop", []byte(`[
{"input": -1, "model": "a",
 "tier": "gold", "colour": [1]},
{"model": "b", "input": 1, "from": "2026-01-01"},
{"model": "b", "output": 1, "from": "2026-01-01"},
{"model": "c", "provider": "acme", "input": 1, "project": "lab"},
{"output": 2},
7,
{"model": "d", "input": "x"
`))
	if err == nil {
		t.Fatal("it was taken")
	}
	want := []string{`"a": line 2, input: `, `"a": line 3, tier: "gold"`, `"a": line 3, colour: there is no such key`, `"b": lines 4 and 5 are for the same calls`,
		`"c": line 6, provider: "acme" is no provider that the price book knows: want one of ai21, `, `"c": line 6, project: "lab"`, `line 7: it has no model`,
		"line 8: want an object", `"d": line 9, input: `, "line 9: the JSON ends too early"}
	lines := strings.Split(err.Error(), "\n")
	for i, w := range want {
		if i >= len(lines) || !strings.HasPrefix(lines[i], w) {
			t.Fatalf("line %d of\n%v\nwant %s", i+1, err, w)
		}
	}
	if len(lines) != len(want) {
		t.Errorf("%d lines, want %d:\n%v", len(lines), len(want), err)
	}
}

// What an earlier release took is read, also where its rules were fewer.
func TestKeptOwnPrices(t *testing.T) {
	t.Parallel()
	list, err := KeptOwn("prices.json", []byte(`[{"model":"a","tier":"gold","project":"p","input":1}]`))
	if err != nil || len(list) != 1 || list[0].Entry.Tier != "gold" {
		t.Errorf("%v %v", list, err)
	}
	list, err = KeptOwn("prices.json", []byte(`[{"model":"a","tier":"batch","input":1},{"model":"a","tier":"Batch","input":2}]`))
	if err != nil || len(list) != 2 {
		t.Errorf("%v %v", list, err)
	}
}

// Whatever is sent as own prices is taken or refused, and what is taken can be asked.
func FuzzParseOwn(f *testing.F) {
	f.Add([]byte(ownExample))
	f.Add([]byte(`[{"model":"^","input":1}]`))
	f.Add([]byte(`[{"model":"=a","input":0.5,"from":"2026-01-01"},{"model":"a","input":1}]`))
	empty := &Book{}
	f.Fuzz(func(t *testing.T, data []byte) {
		list, err := ParseOwn("f", "", data)
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
