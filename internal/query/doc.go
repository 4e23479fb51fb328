// Package query holds the vocabulary of questions, once: the parameters of requests with their
// forms and sentences, what each list can be sorted by, what statistics are made of, and the
// cursors of pages. It asks a Warehouse only what it has checked, so that a backend needs to know none of it.
package query
