// Command prices asks the built-in price book: calls on its input, one JSON object a line, and on its output what each costs and why.
// findings/price-tables.sh holds that against the tables the book was made from.
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/brokle-ai/brokle-go/internal/price"
)

// answer is what the book says of a call.
type answer struct {
	Total  string `json:"total"` // "" without a price
	Reason string `json:"reason"`
	Why    string `json:"why"` // why one table was taken and not the other, where they differ
}

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "prices:", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	book, calls, buffered := price.Builtin(), json.NewDecoder(in), bufio.NewWriter(out)
	answers := json.NewEncoder(buffered)
	for {
		var c price.Call
		if err := calls.Decode(&c); errors.Is(err, io.EOF) {
			return buffered.Flush()
		} else if err != nil {
			return fmt.Errorf("read a call: %w", err)
		}
		x := book.Explain(&c)
		a := answer{Reason: x.Reason.String()}
		if x.Entry != nil {
			a.Total, a.Why = x.Cost.Total.String(), x.Entry.Reason
		}
		if err := answers.Encode(a); err != nil {
			return fmt.Errorf("write an answer: %w", err)
		}
	}
}
