package duckstore

import _ "github.com/brokle-ai/brokle-go/internal/store/duckstore/lean" // leaves out extensions of DuckDB
