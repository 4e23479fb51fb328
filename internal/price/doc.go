// Package price says what a call of a model costs, from a book of prices.
//
// A Book holds entries: what a provider asks for a million tokens of each kind, for which names, from when until when, at which
// hours, above how many tokens and in which service tier. Builtin is the book in the binary, which the program in .ci/prices makes
// from public tables; own prices are laid before it (Prices). A cost is exact to 1e-12 USD and a function of the call and the book
// alone. What cannot be priced has a Reason, never a guess and never 0.
package price
