// Package transport sends single requests of the HTTP API and reads their answers: with the key, compressed
// once the server has said that it takes that, following no redirect, and with a *RequestError for whatever is not a 2xx.
// What a request means, and whether a batch is sent twice, is for those above.
package transport
