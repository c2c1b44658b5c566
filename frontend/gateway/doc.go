// Package gateway holds the clients through which a frontend reads its request,
// and the names of a request's options and of a result's entries.
//
// Each client wraps another one and changes one thing: [Override] the options,
// [Cache] how often something is read, [Record] keeps the reads for a replay, and
// [Inputs] adds named contexts. A frontend sees nothing of a request but its
// client, so that wrapping one changes the request.
package gateway
