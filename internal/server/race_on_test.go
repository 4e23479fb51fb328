//go:build race

package server

// raceDetector: sync.Pool then drops what it is given at random, and memory that would be
// used again is allocated anew.
const raceDetector = true
