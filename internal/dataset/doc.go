// Package dataset keeps datasets of a project, and the records of experiments over them.
//
// A dataset is a list of items, each with an input, what is expected of it, metadata, and where it came from. Every change of its items makes a version, and what a
// version was can be read again. A dataset is one file, which is only ever appended to; so are the experiments of a project. Results of experiments are not here: they are traces
// with the tags that Tags names, and their scores.
//
// It promises that what a call has returned for is on the disk; that a change is there whole or not at all, also after a loss of power; that
// a row that is wrong is named, and the others are kept; and that a file that is damaged, or of a later release, is refused instead of cut.
package dataset
