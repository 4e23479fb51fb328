// Package medium takes pictures, sounds and files that stand in a payload as base64 out of it, leaves a
// reference in the place of each, and puts them back.
//
// It promises that what is put back is the text that was taken out: the same JSON strings, but for how
// they were escaped. What is no base64, is shorter than Least, or is nowhere said to be a medium stays
// in the payload as it was sent. A payload without a long run of base64 costs next to nothing.
package medium
