// Package lowprio makes a thread of work that can wait give way to those that answer.
package lowprio
