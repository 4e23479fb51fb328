// Package scores is the format of the scores that Brokle's SDKs since 0.4 send: one, or a list of them.
//
// Each becomes a quality_score_create with its object as it was sent. The id of the event is derived from
// the project and the bytes, so that a score which is sent again is a duplicate.
package scores
