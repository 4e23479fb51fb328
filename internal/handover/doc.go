// Package handover takes what a node has from one Warehouse to another: an embedded node's data to the one that nodes share, and back. It knows neither engine.
//
// It promises that what it copies goes on where it ended, whatever interrupts it, that nothing is there twice however often it is done again, and that Compare says
// of two Warehouses whether they answer alike, also while one of them takes events.
package handover
