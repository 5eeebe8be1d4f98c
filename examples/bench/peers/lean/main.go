// Command lean passes requests on with fasthttp, buffering whole answers: about
// the least a proxy written in Go can cost.
package main

import (
	"flag"
	"log"

	"github.com/valyala/fasthttp"
)

func main() {
	listen := flag.String("listen", "", "`ADDR`")
	origin := flag.String("origin", "", "`HOST:PORT`")
	flag.Parse()
	client := &fasthttp.HostClient{
		Addr:                *origin,
		MaxConns:            1024,
		ReadBufferSize:      64 << 10,
		MaxResponseBodySize: 1 << 30,
	}
	log.Fatal(fasthttp.ListenAndServe(*listen, func(ctx *fasthttp.RequestCtx) {
		ctx.Request.Header.Del("Connection")
		if err := client.Do(&ctx.Request, &ctx.Response); err != nil {
			ctx.Error(err.Error(), fasthttp.StatusBadGateway)
		}
		ctx.Response.Header.Del("Connection")
	}))
}
