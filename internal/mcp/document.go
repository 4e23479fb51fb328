package mcp

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// This file shows things of which a tool knows no more than that they are JSON: prompts, datasets, experiments.

// longMember is how many bytes a member has that is a piece of its own.
const longMember = 200

// document is one thing: its short members in a line, then the long ones piece by piece.
func document(ctx context.Context, b Backend, q Request, what string, tokens int, cursor string) (string, error) {
	var answer map[string]json.RawMessage
	if err := ask(ctx, b, q, &answer); err != nil {
		return "", err
	}
	row := answer
	if data, wrapped := answer["data"]; wrapped {
		row = nil
		if json.Unmarshal(data, &row) != nil {
			row = answer
		}
	}
	var short []string
	w := &pieceAnswer{room: tokens - overhead() - 2*ownTokens}
	for _, name := range inOrder(row) {
		value := row[name]
		if len(value) <= longMember {
			short = append(short, name)
		} else {
			w.pieces = append(w.pieces, piece{Part: name, Text: plain(value)})
		}
	}
	if err := w.start(cursor); err != nil {
		return "", err
	}
	if cursor == "" {
		line := cut(object(row, short, longMember), w.room/2)
		w.room -= Tokens(line) + 1
		w.out = append(w.out, line)
	}
	own := what
	if next := w.lines(); next != "" {
		own += " There is more: ask the same with cursor=" + next
	}
	return fenced(own, strings.Join(w.out, "\n")), nil
}

// inOrder are the names of a row's members: what tells it from others first.
func inOrder(row map[string]json.RawMessage) []string {
	names := slices.Sorted(maps.Keys(row))
	for _, first := range []string{"version", "name", "id"} {
		if i := slices.Index(names, first); i >= 0 {
			names = slices.Insert(slices.Delete(names, i, i+1), 0, first)
		}
	}
	return names
}
