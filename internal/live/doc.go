// Package live sends events to the clients that watch, as they are accepted: Server-Sent Events
// (WHATWG HTML, section 9.2). Who does not keep up is cut, and goes on behind what it has read.
package live
