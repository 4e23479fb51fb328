package brokleeval_test

import (
	"context"
	"fmt"

	"github.com/brokle-ai/brokle-go"
	"github.com/brokle-ai/brokle-go/brokleeval"
)

// An experiment outside of a test, over items that the program has. In a test it is Run, which fails it by Faults.
func ExampleExperiment() {
	items := brokleeval.Items{
		brokleeval.NewItem("france", "capital of France?", "Paris"),
		brokleeval.NewItem("italy", "capital of Italy?", "Rome"),
	}
	answer := func(_ context.Context, item brokleeval.Item) (any, error) {
		return map[string]string{"capital of France?": "Paris", "capital of Italy?": "Milan"}[item.Text()], nil
	}
	e := brokleeval.Experiment{Name: "capitals", Config: brokle.Config{Disabled: true}} // nothing is recorded
	r, err := e.Do(context.Background(), items, answer, brokleeval.AtLeast(0.9, brokleeval.Exact()))
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, fault := range r.Faults() {
		fmt.Println(fault)
	}
	// Output:
	// exact: the mean is 0.5000 (95 %: 0.0945 to 0.9055, of 2), which is below 0.9
	//   0  item italy: "Milan" instead of "Rome"
}
