package main

import (
	"context"
	"errors"
	"strings"
)

// Message is one turn of a conversation.
type Message struct {
	Role string `json:"role"`
	Text string `json:"text"`
}

// Reply is what a model says, and what it used.
type Reply struct {
	Text                           string
	PromptTokens, CompletionTokens int64
}

// Model is a language model. A real one would call a provider.
type Model interface {
	Name() string
	Complete(ctx context.Context, history []Message, facts []string) (Reply, error)
}

// Parrot is a model that runs here and knows only what it is told.
type Parrot struct{}

// Name implements Model.
func (Parrot) Name() string { return "parrot-1" }

// Complete implements Model.
func (Parrot) Complete(ctx context.Context, history []Message, facts []string) (Reply, error) {
	if err := ctx.Err(); err != nil {
		return Reply{}, err
	}
	if len(history) == 0 || strings.TrimSpace(history[len(history)-1].Text) == "" {
		return Reply{}, errors.New("nothing was asked")
	}
	text := "I do not know, but a colleague will answer you today."
	if len(facts) > 0 {
		text = strings.Join(facts, " ")
	}
	prompt := 0
	for _, m := range history {
		prompt += len(strings.Fields(m.Text))
	}
	return Reply{Text: text, PromptTokens: int64(prompt), CompletionTokens: int64(len(strings.Fields(text)))}, nil
}
