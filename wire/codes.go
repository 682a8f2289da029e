package wire

import (
	"net/http"
	"slices"
)

// CodeInfo says what an error code is over HTTP and in JSON-RPC, and what it means.
type CodeInfo struct {
	Code   Code
	Status int    // the HTTP status
	RPC    int    // error.code of a JSON-RPC answer
	Doc    string // one line
}

// The numbers JSON-RPC 2.0 fixes, and the one for everything of our own.
const (
	rpcParse   = -32700
	rpcInvalid = -32600
	rpcMethod  = -32601
	rpcParams  = -32602
	rpcOther   = -32000
)

// codes is every code there is. It is never written to.
var codes = [...]CodeInfo{
	{CodeParse, http.StatusBadRequest, rpcParse, "not JSON, or JSON with duplicate names, bad UTF-8, data after its end, or too deep"},
	{CodeInvalid, http.StatusBadRequest, rpcInvalid, "JSON, but not a request"},
	{CodeBatch, http.StatusBadRequest, rpcInvalid, "batches are not taken; send one request after the other, without waiting"},
	{CodeMethod, http.StatusNotFound, rpcMethod, "there is no such method"},
	{CodeParam, http.StatusBadRequest, rpcParams, "a parameter's value is wrong; param names it"},
	{CodeUnknownParam, http.StatusBadRequest, rpcParams, "a parameter this server does not know; param names it"},
	{CodeMedia, http.StatusUnsupportedMediaType, rpcOther, "HTTP: the content type is not application/json"},
	{CodeVerb, http.StatusMethodNotAllowed, rpcOther, "HTTP: methods are called with POST"},
	{CodeTooLarge, http.StatusRequestEntityTooLarge, rpcOther, "a frame, a body or a content is over its limit"},
	{CodeSession, http.StatusUnauthorized, rpcOther, "session.open comes first; over HTTP, a bearer token is needed"},
	{CodeOpen, http.StatusConflict, rpcOther, "this connection has a session already"},
	{CodeToken, http.StatusUnauthorized, rpcOther, "the token was not signed by whom it should be, or its claims are wrong"},
	{CodeExpired, http.StatusUnauthorized, rpcOther, "the token was good once; get another one"},
	{CodeRevoked, http.StatusUnauthorized, rpcOther, "the token was signed out; get another one"},
	{CodeElsewhere, http.StatusConflict, rpcOther, "the user is signed in on another device of this platform, and one at a time is the rule here; do not come back by yourself"},
	{CodeDeleted, http.StatusGone, rpcOther, "the account was deleted"},
	{CodeGuests, http.StatusForbidden, rpcOther, "guests are not allowed here; sign in with a token"},
	{CodeNotFound, http.StatusNotFound, rpcOther, "it is not there, or not for you: the answer is the same"},
	{CodeForbidden, http.StatusForbidden, rpcOther, "you may see it, but may not do this"},
	{CodeMuted, http.StatusForbidden, rpcOther, "you may read there, but not speak: until says how long"},
	{CodeScope, http.StatusForbidden, rpcOther, "the server key lacks the scope that the method needs"},
	{CodeUser, http.StatusBadRequest, rpcOther, "a server key calls for a user here: the header Linnet-User names it"},
	{CodeNotAccepted, http.StatusForbidden, rpcOther, "the other user does not accept it; whether it blocks, takes friends only or has no room is not told"},
	{CodeConflict, http.StatusConflict, rpcOther, "the client_id was used for another content; first says where that stands"},
	{CodeStale, http.StatusConflict, rpcOther, "it was changed since it was looked at: look again and repeat it"},
	{CodeRoomBusy, http.StatusTooManyRequests, rpcOther, "too much is being said in the room for a message of this priority; wait retry_after_ms"},
	{CodeRate, http.StatusTooManyRequests, rpcOther, "too many calls; wait retry_after_ms"},
	{CodeBusy, http.StatusServiceUnavailable, rpcOther, "the server is overloaded or restarting; try again after retry_after_ms"},
	{CodeStorage, http.StatusInsufficientStorage, rpcOther, "the server's disk is full; nothing was written"},
	{CodeUnknown, http.StatusInternalServerError, rpcOther, "the commit's fate is not known; repeat the call with the same client_id"},
	{CodeInternal, http.StatusInternalServerError, rpcOther, "the server failed; its log says why"},
}

// Codes answers every error code a server may send. The caller owns the slice.
func Codes() []CodeInfo { return slices.Clone(codes[:]) }

// codeInfo answers what is known of a code; a code without a row is an internal error's.
func codeInfo(code Code) CodeInfo {
	for i := range codes {
		if codes[i].Code == code {
			return codes[i]
		}
	}
	return CodeInfo{Code: code, Status: http.StatusInternalServerError, RPC: rpcOther}
}

// codeOfRPC answers the code that a bare JSON-RPC number stands for: what a client
// makes of an error that carries no code of ours.
func codeOfRPC(n int) Code {
	for i := range codes {
		if codes[i].RPC == n && n != rpcOther {
			return codes[i].Code
		}
	}
	return CodeInternal
}
