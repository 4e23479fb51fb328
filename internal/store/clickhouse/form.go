package clickhouse

import (
	"fmt"

	"github.com/cespare/xxhash/v2"

	"github.com/brokle-ai/brokle-go/internal/entity"
)

// The column said has entity.Row, whose bytes mean something to versions with the same field table only. So form, a hash of that table, stands
// beside it: who finds another one reads the payload again.

// ownForm is the form of the rows of this version.
var ownForm = formOf()

func formOf() uint64 {
	var d xxhash.Digest
	d.Reset()
	fmt.Fprint(&d, "kind rank content entity values;")
	for f := range entity.NumFields {
		fmt.Fprintf(&d, "%s %d;", f, f.Type())
	}
	return d.Sum64()
}
