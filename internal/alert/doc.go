// Package alert watches statistics for people, and tells when a level is passed and when it is over.
//
// A Rule is a question of GET /v1/stats, asked again and again about the time just gone, with thresholds for a warning and an alert. What an answer
// means is decided here, and so is what is told: each change of the state of a rule, or of one of its groups, goes to each of the rule's
// destinations.
//
// It promises that a change is kept, with what is to be sent of it, before anything is sent; so each is sent at least once whatever is killed, always
// under the same id, and not again once its receiver's answer of 2xx was noted. Of nodes that share a place one looks and sends, and where two
// should for a moment believe that they are the one, compare and set still has each change told once.
package alert
