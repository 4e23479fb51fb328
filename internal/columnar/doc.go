// Package columnar writes rows as Parquet: a column for each name, in their order, each of which may be NULL; compressed with zstd. Readers need
// nothing of ours: DuckDB, pandas and Spark read what it writes.
package columnar
