// Package dataset keeps datasets of a project, and the records of experiments over them.
//
// A dataset is a list of items, each with an input, what is expected of it, metadata, and where it came from. Every change of its items makes a version, and what a
// version was can be read again. What is kept are lines, which are only ever appended: by a node alone in a file for each dataset, and one for the experiments of a project; by nodes that share a
// place in one row of entries for each project (store.DatasetLines), where the first that writes an entry has it. Results of experiments are not here: they are traces with the tags that Tags
// names, and their scores.
//
// It promises that what a call has returned for is kept, and known to every node that asks for what is Fresh; that a change is there whole or not at all, also after a loss of power; that of two
// changes at once both are there, each made of what the other one left; that a row that is wrong is named, and the others are kept; and that a file that is damaged, or of a later release, is
// refused instead of cut.
package dataset
