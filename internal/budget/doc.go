// Package budget says how much of what may be spent has been spent, and tells when a level is reached.
//
// A budget is an amount for a day or a month of a project, or of one user, model or environment of it. What was spent is asked of the
// Warehouse as GET /v1/stats asks it, so the two never differ. Nothing is refused for money: a level that is reached is told once, in
// the log and to a webhook, and shown for as long as it lasts.
//
// It promises that each level of a budget is told once in a period, at least once whatever is stopped or killed meanwhile: what is to be told is on
// the disk before it is sent, and that it was taken is on the disk before it is forgotten.
package budget
