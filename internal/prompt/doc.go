// Package prompt keeps the prompts of projects: each has a name and versions, and labels that say which version is used for what.
//
// It promises that a version never changes and that its number is never given again, also after it was deleted; so what observations say of a prompt's
// version stays true. Labels move, and the label latest is always the newest version's. What Put has returned for is kept, of two changes at once neither is lost,
// and a text of a later release is refused instead of cut. Each project has a document of its own.
package prompt
