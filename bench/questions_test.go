package main

import "testing"

func TestLastTable(t *testing.T) {
	t.Parallel()
	const last = "            10  10 and 20000  20\n  by cost    1   2  3\n  a trace    4   5  6"
	for name, text := range map[string]string{"one": last, "two": "   10  10 and 20000\n  by cost  1  2\n" + last} {
		if got := lastTable(text); got != last {
			t.Errorf("%s: %q", name, got)
		}
	}
}
