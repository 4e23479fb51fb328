// Package pricing says what calls of models cost that nobody said, by the prices that a journal says hold for them.
//
// What a call costs is a function of its events and of the journal: which book of prices, which own prices of a project and which
// setting hold for a call depends on when it started and on where in the log it was heard of first. An entry only ever holds for what
// comes behind it, and entries are never changed. So the warehouse's figures and those of a fold of the log are the same whenever and
// wherever they are made, and former figures can be told.
package pricing
