// Package sqlview is the catalogue of what a question in SQL can ask: views, each with its columns. Both Warehouses make their
// views of it, and docs/sql.md is held against it. A column that is here stays: it is neither renamed nor given another meaning.
package sqlview
