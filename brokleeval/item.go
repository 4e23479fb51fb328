package brokleeval

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
)

// Item is one case of a dataset.
type Item struct {
	// ID is the item's in its dataset. Items that have none are called by their number, from "1".
	ID       string
	Input    json.RawMessage // any JSON
	Expected json.RawMessage // any JSON; nil when nothing is
	Metadata json.RawMessage // a JSON object, or nil
}

// Text is the input as a text: what it says when it is a JSON string, else the JSON.
func (i Item) Text() string { return textOf(i.Input) }

// ExpectedText is what is expected as a text, as Text is.
func (i Item) ExpectedText() string { return textOf(i.Expected) }

// Decode decodes the input into v, as encoding/json does.
func (i Item) Decode(v any) error { return json.Unmarshal(i.Input, v) }

func textOf(raw json.RawMessage) string {
	var s string
	if json.Unmarshal(raw, &s) == nil {
		return s
	}
	return string(raw)
}

// NewItem makes an item of Go values, which become JSON. It panics when one cannot: a chan, a func, a number that is not finite.
func NewItem(id string, input, expected any) Item {
	must := func(v any) json.RawMessage {
		if v == nil {
			return nil
		}
		raw, err := json.Marshal(v)
		if err != nil {
			panic("brokleeval: " + err.Error())
		}
		return raw
	}
	return Item{ID: id, Input: must(input), Expected: must(expected)}
}

// Dataset gives items.
type Dataset interface {
	// load reads the items, and where they are from.
	load(ctx context.Context, s *server) (loaded, error)
}

// loaded is a dataset in memory.
type loaded struct {
	items   []Item
	id      string // of a dataset of the server; "" of others
	version int
}

// Items is a dataset of items that the program has.
type Items []Item

func (items Items) load(context.Context, *server) (loaded, error) {
	return loaded{items: numbered(items)}, nil
}

// numbered gives items without an id their number.
func numbered(items []Item) []Item {
	out := make([]Item, len(items))
	for i, it := range items {
		if it.ID == "" {
			it.ID = fmt.Sprint(i + 1)
		}
		out[i] = it
	}
	return out
}

// File is a dataset in a file of JSON Lines, each with input, and expected, metadata and id where there are any: what `brokle datasets export` writes.
// A line that is wrong fails the experiment, and is named.
type File string

func (f File) load(context.Context, *server) (loaded, error) {
	file, err := os.Open(string(f))
	if err != nil {
		return loaded{}, err
	}
	items, err := readLines(file)
	return loaded{items: numbered(items)}, errors.Join(err, file.Close())
}

type row struct {
	ID       string          `json:"id"`
	Input    json.RawMessage `json:"input"`
	Expected json.RawMessage `json:"expected"`
	Metadata json.RawMessage `json:"metadata"`
}

func (r row) item() Item {
	return Item{ID: r.ID, Input: r.Input, Expected: known(r.Expected), Metadata: known(r.Metadata)}
}

// known is nil for null.
func known(raw json.RawMessage) json.RawMessage {
	if string(raw) == "null" {
		return nil
	}
	return raw
}

func readLines(from io.Reader) ([]Item, error) {
	const longest = 8 << 20
	var items []Item
	in := bufio.NewScanner(from)
	in.Buffer(nil, longest)
	for number := 1; in.Scan(); number++ {
		line := bytes.TrimSpace(in.Bytes())
		if len(line) == 0 {
			continue
		}
		var r row
		if err := json.Unmarshal(line, &r); err != nil {
			return nil, fmt.Errorf("line %d: it is no JSON object of an item: %s", number, strings.TrimPrefix(err.Error(), "json: "))
		}
		if len(known(r.Input)) == 0 {
			return nil, fmt.Errorf("line %d: it has no input", number)
		}
		items = append(items, r.item())
	}
	return items, in.Err()
}

// Named is a dataset of the server, by its id or its name, as it is read when no version is asked for. It needs a key with the scope read.
func Named(name string) Dataset { return stored{name: name} }

// NamedVersion is a version of a dataset of the server; it numbers from 1.
func NamedVersion(name string, version int) Dataset { return stored{name, version} }

type stored struct {
	name    string
	version int // 0: the current one
}

func (d stored) load(ctx context.Context, s *server) (loaded, error) {
	if s == nil {
		return loaded{}, fmt.Errorf("dataset %q is the server's: set BROKLE_API_KEY, and BROKLE_HOST", d.name)
	}
	return s.dataset(ctx, d.name, d.version)
}
