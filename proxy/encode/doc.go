// Package encode reads and writes HTTP content codings (RFC 9110 section 8.4):
// gzip, deflate, br and zstd.
//
// A compressor holds between half a megabyte and two. A response that waits for
// its origin, or for a slow visitor, must not hold one as well, so compressors
// are leased: [Writer.Park] flushes what was written and gives the compressor
// back; the next Write takes another, which continues the same stream. Where more
// than [Pool.Max] are out, writers park by themselves after each Write, before
// they wait for the network. So the number of compressors follows the number of
// processors and not the number of visitors.
//
// That works because gzip is framed here, around raw deflate blocks, and because
// brotli at the qualities 0 and 1 refers to nothing before the block it writes:
// both can go on with an empty window. A gzip stream is never made of several
// members, since browsers read the first one and ignore the rest. Brotli above
// quality 1 and zstd carry state from block to block; their Park only flushes, and
// they are meant for results that are computed once and kept.
//
// Brotli is molecule-man/go-brrr (MIT, pure Go). Compared with andybalholm/brotli
// on a page of 182 KB (BenchmarkWriter and BenchmarkBrotliElsewhere) it needs between
// a third and two thirds of the time at the qualities 1, 4 and 5, for as few bytes. It
// is the younger of the two, so the tests fuzz it against the other one in both
// directions.
package encode

import "errors"

// Content codings by their registered names. [Identity] is the empty name.
const (
	Identity = ""
	Brotli   = "br"
	Gzip     = "gzip"
	Zstd     = "zstd"
	deflate  = "deflate" // read, never written: half of the world means zlib by it, half raw deflate
)

// ErrCoding says that a content coding is not known, or that too many are
// applied one on another.
var ErrCoding = errors.New("unknown content coding")

// Fast is the level of a coding for what is computed while the visitor waits.
func Fast(string) int { return 1 }

// Tight is the same where bytes are dearer than the processor.
func Tight(coding string) int {
	switch coding {
	case Brotli:
		return 4
	case Gzip:
		return 5
	}
	return 3
}

// Parks reports whether a stream can go on with another compressor: see
// [Writer.Park].
func Parks(coding string, level int) bool {
	return coding == Identity || coding == Gzip || coding == Brotli && level <= 1
}

// Small is the level of a coding for what is computed once and sent often.
func Small(coding string) int {
	switch coding {
	case Brotli:
		return 5
	case Gzip:
		return 6
	}
	return 3
}
