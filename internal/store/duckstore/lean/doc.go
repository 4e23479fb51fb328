// Package lean leaves out of the binary what DuckDB's static library brings and nothing here asks
// for: the extension icu (7.4 MB, most of it tables of languages; time zones and collations in SQL)
// and autocomplete (1.3 MB). What is left out counts as loaded there and has no functions.
//
// It is for Linux; elsewhere all is linked in. Its test shows when another release of DuckDB has
// another idea of an extension.
package lean
