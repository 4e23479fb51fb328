// Package saved keeps what people make of a project beside its telemetry: how its scores are given (Definition), which lists they look at
// (View), and what their dashboard draws (Chart). Each is known by its name within the project, and is replaced as a whole.
//
// It promises that what Put has returned for is kept, that of two changes at once neither is lost, and that a text of a later release is refused
// instead of cut.
package saved
