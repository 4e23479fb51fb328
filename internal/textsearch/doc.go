// Package textsearch says what words are: those of an event's text (Words), those of a search
// (Parse), and whether the one has the other (Matcher).
package textsearch
