// Package repricing prices calls of the past again: it tells what would change (Repricer.Look), begins (Repricer.Begin), and works day by
// day until it is done (Repricer.Run).
//
// It promises that a repricing that has begun ends, if need be after the next start, and that each day of a project, by UTC and by when calls
// start, changes as a whole: the warehouse gives all calls of a day their costs in one step, and before anything else is inserted the
// journal of prices holds for that day. A process that is killed between the two does the day again, which changes nothing more,
// before it inserts anything.
package repricing
