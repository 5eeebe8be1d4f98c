package upstream

import (
	"io"
	"log"
)

// quiet swallows what net/http says of connections the tests break.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
