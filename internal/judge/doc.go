// Package judge has new traces scored while they come: by a model that is asked by a prompt (a call in the shape of OpenAI's chat completions), or by a
// program of the project's own (a webhook).
//
// A Judge says which traces, by a filter of lists, which share of them, and by whom. A trace is judged once nothing of it has come for a while. It promises
// that a rule's calls stay within its budget of a day, whatever is killed; that a judge's own calls are traces of the same project, with the tag Tag, and are never judged themselves; and that a
// score's id follows from the rule and the trace, so that one that is given twice is one. Of nodes that share a place one judges.
package judge
