package upstream

import (
	"context"
	"errors"
	"net"
	"net/http"
	"os"
)

// A Kind says what went wrong between the gateway and the origin.
type Kind uint8

const (
	Unreachable Kind = iota + 1 // no connection, or it broke before a response: 502
	Timeout                     // the origin did not answer in time: 504
	BadResponse                 // what it answered is not HTTP, too long, or not what was asked for: 502
	Busy                        // too many requests are at the origin already: 503
	Canceled                    // the visitor went away: nobody is there to be told
	Truncated                   // the origin's body broke off after the header was sent
)

func (k Kind) String() string {
	switch k {
	case Unreachable:
		return "origin unreachable"
	case Timeout:
		return "origin timed out"
	case BadResponse:
		return "origin's response is unusable"
	case Busy:
		return "origin is busy"
	case Canceled:
		return "visitor went away"
	case Truncated:
		return "origin's body broke off"
	}
	return "unknown"
}

// An Error is every error of a request to the origin. It holds no more of the
// request than the address of the origin.
type Error struct {
	Kind Kind
	Err  error
}

func (e *Error) Error() string { return e.Kind.String() + ": " + e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Status is what to answer the visitor. For Canceled and Truncated it is of no
// use to anybody but a log: 499, as nginx has it, and 502.
func (e *Error) Status() int {
	switch e.Kind {
	case Timeout:
		return http.StatusGatewayTimeout
	case Busy:
		return http.StatusServiceUnavailable
	case Canceled:
		return 499
	}
	return http.StatusBadGateway
}

// classify turns an error of the transport into an Error. ctx is the context of
// the visitor's request.
func classify(ctx context.Context, err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	return &Error{Kind: kindOf(ctx, err), Err: err}
}

func kindOf(ctx context.Context, err error) Kind {
	var network net.Error
	var op *net.OpError
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return Timeout
	case ctx.Err() != nil:
		return Canceled
	case errors.Is(err, os.ErrDeadlineExceeded), errors.As(err, &network) && network.Timeout():
		return Timeout
	case errors.As(err, &op), isConnectionLoss(err):
		return Unreachable
	}
	return BadResponse
}
