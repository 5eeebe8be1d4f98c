package encode

import (
	"bytes"
	"runtime"
	"sync"
)

// A Pool lends compressors and decompressors. The zero Pool is ready to use. It
// is safe for concurrent use; the readers and writers it makes are not.
type Pool struct {
	// Max is how many compressors may be out before writers give theirs back
	// after each Write, and how many idle ones of a kind are kept. Zero: twice
	// GOMAXPROCS.
	Max int

	mu   sync.Mutex
	idle map[kind][]*engine
	live int

	buffers  sync.Pool // *bytes.Buffer
	decoders decoders
}

// A kind is what two compressors must share to stand in for each other.
type kind struct {
	coding string
	level  int
}

// Live is the number of compressors that are out.
func (p *Pool) Live() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.live
}

func (p *Pool) max() int {
	if p.Max > 0 {
		return p.Max
	}
	return 2 * runtime.GOMAXPROCS(0)
}

func (p *Pool) crowded() bool { return p.Live() > p.max() }

func (p *Pool) lease(k kind, out *bytes.Buffer) (*engine, error) {
	e := p.take(k)
	if e == nil {
		var err error
		if e, err = newEngine(k); err != nil {
			p.gone()
			return nil, err
		}
	}
	e.out = out
	e.begin()
	return e, nil
}

func (p *Pool) take(k kind) *engine {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live++
	list := p.idle[k]
	if len(list) == 0 {
		return nil
	}
	e := list[len(list)-1]
	p.idle[k] = list[:len(list)-1]
	return e
}

func (p *Pool) release(k kind, e *engine) {
	e.out = nil
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live--
	if len(p.idle[k]) >= p.max() {
		return
	}
	if p.idle == nil {
		p.idle = make(map[kind][]*engine)
	}
	p.idle[k] = append(p.idle[k], e)
}

func (p *Pool) gone() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.live--
}

// maxKeptBuffer bounds the buffers kept for compressed bytes on their way out.
const maxKeptBuffer = 256 << 10

func (p *Pool) buffer() *bytes.Buffer {
	if b, ok := p.buffers.Get().(*bytes.Buffer); ok {
		return b
	}
	return new(bytes.Buffer)
}

func (p *Pool) giveBack(b *bytes.Buffer) {
	if b.Cap() <= maxKeptBuffer {
		b.Reset()
		p.buffers.Put(b)
	}
}
