package mcp

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/google/jsonschema-go/jsonschema"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// The tokens of an answer: when nothing is asked for, and within which it can be asked for.
const (
	DefaultTokens = 2000
	LeastTokens   = 500
	MostTokens    = 20_000
)

// Budget is what every tool that reads takes.
type Budget struct {
	MaxTokens int `json:"max_tokens,omitempty" jsonschema:"tokens that the answer may have, 500 to 20000; 2000 when absent"`
}

func (b Budget) tokens() int {
	if b.MaxTokens == 0 {
		return DefaultTokens
	}
	return b.MaxTokens
}

// tool is a row of the catalog.
type tool struct {
	name, title, says string
	// needs are the endpoints that it is made of, as METHOD PATH: without them there is no such tool.
	needs []string
	scope string // that the key must have: read, ingest or admin
	write bool   // it changes something
	// add registers it.
	add func(s *sdk.Server, t *sdk.Tool, a *asking)
}

// asking is what a tool has of the request it belongs to.
type asking struct {
	*Catalog
	backend Backend
}

// typed is a tool that takes an In and answers with a text. tighten sets what the Go type does not say; it may be nil.
func typed[In any](t tool, tighten func(p map[string]*jsonschema.Schema), do func(ctx context.Context, a *asking, in In) (string, error)) tool {
	schema, err := jsonschema.For[In](nil)
	if err != nil {
		panic(fmt.Sprintf("schema of %s: %v", t.name, err)) // of a type of this package: a test has made all of them
	}
	for _, p := range schema.Properties {
		if slices.Contains(p.Types, "array") { // no null: absent is enough
			p.Type, p.Types = "array", nil
			p.MaxItems = ptr(50)
		}
	}
	if p := schema.Properties["max_tokens"]; p != nil {
		p.Minimum, p.Maximum = ptr[float64](LeastTokens), ptr[float64](MostTokens)
	}
	if tighten != nil {
		tighten(schema.Properties)
	}
	t.add = func(s *sdk.Server, told *sdk.Tool, a *asking) {
		told.InputSchema = schema
		sdk.AddTool(s, told, func(ctx context.Context, _ *sdk.CallToolRequest, in In) (result *sdk.CallToolResult, _ any, err error) {
			defer func() {
				if v := recover(); v != nil { // it costs its own call; what was recorded is not in the message
					a.logger.Error("a tool panicked", "tool", t.name, "stack", string(debug.Stack()))
					result, err = failed(errors.New("the tool failed; the server's log says why")), nil
				}
			}()
			text, err := do(ctx, a, in)
			if err != nil {
				return failed(err), nil, nil
			}
			return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: text}}}, nil, nil
		})
	}
	return t
}

func ptr[T any](v T) *T { return &v }

// limited is a tighten for a number of rows.
func limited(most int) func(p map[string]*jsonschema.Schema) {
	return func(p map[string]*jsonschema.Schema) {
		p["limit"].Minimum, p["limit"].Maximum = ptr(1.0), ptr(float64(most))
	}
}

// among says which texts an argument may be.
func among(p *jsonschema.Schema, values ...string) {
	if p.Items != nil {
		p = p.Items
	}
	for _, v := range values {
		p.Enum = append(p.Enum, v)
	}
}

// failed is the answer to a call that went wrong. What the API said may quote what was recorded: it is in the block of such.
func failed(err error) *sdk.CallToolResult {
	text := err.Error()
	var said *apiError
	if errors.As(err, &said) {
		detail := said.message
		if said.details != nil {
			detail += "\n" + string(said.details)
		}
		if strings.TrimSpace(detail) != "" {
			text = fenced(text, cut(detail, DefaultTokens/2))
		}
	}
	return &sdk.CallToolResult{IsError: true, Content: []sdk.Content{&sdk.TextContent{Text: text}}}
}
