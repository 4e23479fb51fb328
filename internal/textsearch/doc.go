// Package textsearch says what words are: those of an event's text (Words), those of a search
// (Parse), and whether the one has the other (Matcher). The same of attributes: those of an event
// (Attributes), and those that a search asks for (Query.With).
package textsearch
