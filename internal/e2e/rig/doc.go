// Package rig is for tests only: it builds the binary, starts, kills and stops
// servers on a data directory, and talks to them over HTTP as a client does.
package rig
