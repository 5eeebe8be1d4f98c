package proxy

import (
	"fmt"
	"net/http"
	"runtime/debug"

	"github.com/numfocus/consentgate/proxy/banner"
)

// A bug is a panic that was recovered, on its way as an error to where the
// visitor is answered.
type bug struct {
	where string
	value any
	stack []byte
}

func (b *bug) Error() string { return fmt.Sprintf("a bug in the gateway (%s): %v", b.where, b.value) }

// caught makes an error of a panic; it is for a deferred call in goroutines that
// others started, in which a panic would end the program.
//
//	defer caught("hint", &err)
func caught(where string, err *error) {
	if value := recover(); value != nil {
		*err = &bug{where, value, debug.Stack()}
	}
}

// report logs and counts a bug.
func (g *Gateway) report(b *bug) {
	g.parts.Meter.Panicked(b.where)
	g.parts.Log.Error().Str("where", b.where).Str("panic", fmt.Sprint(b.value)).Bytes("stack", b.stack).Msg("bug")
}

// survive ends an exchange in which something panicked with value: with a page of
// our own where nothing has been sent, else with a connection that breaks, so
// that the visitor sees that the page is not whole. [http.ErrAbortHandler] is
// how an exchange asks for the latter itself.
func (x *exchange) survive(value any) (abort bool) {
	if value == http.ErrAbortHandler {
		return true
	}
	b, ok := value.(*bug)
	if !ok {
		b = &bug{"request", value, debug.Stack()}
	}
	x.failure = b
	x.gateway.report(b)
	if x.w.status != 0 {
		return true
	}
	if x.site == nil {
		http.Error(x.w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
		return false
	}
	x.instead(http.StatusInternalServerError, banner.Other)
	return false
}
