// Package brokleeval runs experiments in go test: a task over the items of a dataset, and scorers over what it made of them.
//
//	func TestAnswers(t *testing.T) {
//		brokleeval.Run(t, brokleeval.Named("questions"), answer,
//			brokleeval.AtLeast(0.8, brokleeval.Exact()))
//	}
//
// Items run in parallel. Where the environment has a key (BROKLE_API_KEY, BROKLE_HOST), the experiment is recorded: each item is a trace with the tags
// experiment:ID and item:ID, in which what the task records with package brokle stands, too, and its scores are scores of the trace. `brokle eval compare` and the page then
// lay two experiments side by side. Without a key everything runs the same, and nothing is sent.
//
// A mean comes with the interval in which it is with 95 % confidence. A scorer that AtLeast wraps fails the test when its mean is below, and names the items that were worst.
package brokleeval
