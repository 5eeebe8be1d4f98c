package upstream

import (
	"context"
	"errors"
	"io"
	"sync/atomic"
	"time"
)

var errStalled = errors.New("no byte either way for too long")

// A watchdog ends a request that shares its connection with others, where the
// connection itself is not silent. A nil one does nothing.
type watchdog struct {
	patient time.Duration
	timer   *time.Timer
	cancel  context.CancelFunc
	angry   atomic.Bool
}

func newWatchdog(parent context.Context, patient time.Duration) (*watchdog, context.Context) {
	ctx, cancel := context.WithCancel(parent)
	w := &watchdog{patient: patient, cancel: cancel}
	w.timer = time.AfterFunc(patient, func() {
		w.angry.Store(true)
		cancel()
	})
	return w, ctx
}

func (w *watchdog) touch() {
	if w != nil && !w.angry.Load() {
		w.timer.Reset(w.patient)
	}
}

func (w *watchdog) barked() bool { return w != nil && w.angry.Load() }

func (w *watchdog) stop() {
	if w != nil {
		w.timer.Stop()
		w.cancel()
	}
}

// A watched body tells the dog when it moves.
type watched struct {
	io.ReadCloser
	dog *watchdog
}

func (b *watched) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.dog.touch()
	return n, err
}

// A keptBody outlives a transport that closes it without having read of it.
type keptBody struct {
	io.ReadCloser
	touched atomic.Bool
}

func (b *keptBody) Read(p []byte) (int, error) {
	b.touched.Store(true)
	return b.ReadCloser.Read(p)
}

// Close leaves an untouched body to the server, which closes it in any case.
func (b *keptBody) Close() error {
	if !b.touched.Load() {
		return nil
	}
	return b.ReadCloser.Close()
}
