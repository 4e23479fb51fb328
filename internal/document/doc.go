// Package document keeps texts that are replaced as a whole: keys, budgets, sign-ins, the journal of prices. A node alone has each in a file. Nodes that
// share a warehouse have them there (Shared), each with the file as its copy of what it knew last.
//
// It promises that of two changes at once neither is lost: the second is made of what the first left. What Change has returned is kept over a loss of power,
// and among nodes it is known to all that can reach the shared place within Every, or at once to who asks for what is Fresh. A node that cannot reach it goes on
// with what it knew last.
package document
