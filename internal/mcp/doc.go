// Package mcp is the server of the Model Context Protocol: tools by which a coding agent finds traces, reads them, asks statistics and gives scores.
//
// A tool is made of requests to the HTTP API, sent through a Backend with the caller's key: in the server itself to its own handler, in `brokle mcp` over the
// network. So scopes, projects, limits and errors are those of the API, and what a key may not see no tool shows. Which tools there are follows from
// the paths that the server has and from the scopes of the key.
//
// It promises that an answer has no more tokens than were asked for, by the estimate of Tokens; that what is left out can be had with the cursor that the
// answer names; and that what others recorded stands in a block that says so, and that nothing in it can end.
package mcp
