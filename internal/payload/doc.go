// Package payload writes what an application says as the JSON of an event's payload, at a fraction
// of what reflection costs where the types are plain, and reads from such JSON which entities it names.
package payload
