package brokleeval

import (
	"context"
	"encoding/json"
	"fmt"
)

// Task makes an output of an item. What it records with package brokle in ctx is part of the item's trace. The output becomes JSON; a text stays one.
type Task func(ctx context.Context, item Item) (output any, err error)

// Case is what a scorer is asked about.
type Case struct {
	Item   Item
	Output any             // what the task returned
	JSON   json.RawMessage // the same as JSON
}

// Text is the output as a text: a string as it is, else its JSON.
func (c Case) Text() string { return textOf(c.JSON) }

// Score is what a scorer says.
type Score struct {
	Value  float64 // finite; usually 0 to 1, where more is better
	Reason string  // for people; at most a few sentences
}

// Scorer scores outputs. It is called by many goroutines at once.
type Scorer interface {
	// Name is what its scores are called: 1 to 200 characters.
	Name() string
	// Score scores an output. An error says that there is no score, and fails the test.
	Score(ctx context.Context, c Case) (Score, error)
}

// Func is a scorer of a function.
func Func(name string, score func(ctx context.Context, c Case) (Score, error)) Scorer {
	return function{name, score}
}

type function struct {
	name  string
	score func(ctx context.Context, c Case) (Score, error)
}

func (f function) Name() string                                     { return f.name }
func (f function) Score(ctx context.Context, c Case) (Score, error) { return f.score(ctx, c) }

// Called is a scorer under another name, so that two of a kind can be told apart.
func Called(name string, s Scorer) Scorer {
	return Func(name, s.Score)
}

// AtLeast fails the test when the mean of a scorer is below least, and names the items that were worst.
func AtLeast(least float64, s Scorer) Scorer { return threshold{s, least} }

type threshold struct {
	Scorer
	least float64
}

// pass is a score of 1 or 0; why says why it is 0.
func pass(ok bool, format string, args ...any) Score {
	if ok {
		return Score{Value: 1}
	}
	return Score{Reason: fmt.Sprintf(format, args...)}
}
