package server

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/brokle-ai/brokle-go/internal/store/sqlview"
)

// TestGeneratedSQL holds the views of docs/sql.md against the catalogue.
func TestGeneratedSQL(t *testing.T) {
	t.Parallel()
	const file = "../../docs/sql.md"
	b, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for _, v := range sqlview.Views() {
		fmt.Fprintf(&text, "\n### %s\n\n%s.\n\n| column | is | |\n| --- | --- | --- |\n", v.Name, strings.ToUpper(v.Says[:1])+v.Says[1:])
		for _, c := range v.Columns {
			fmt.Fprintf(&text, "| `%s` | %s | %s |\n", c.Name, c.Type, c.Says)
		}
	}
	text.WriteString("\n")
	generated(t, file, between(t, string(b), "views", text.String()))
}
