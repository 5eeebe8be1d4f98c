package encode

import (
	"bytes"
	"io"
	"runtime"
	"strings"
	"testing"
)

func TestPack(t *testing.T) {
	body := []byte(strings.Repeat("function hello(){return 'hello'}\n", 200))
	before := runtime.NumGoroutine()
	packed, err := Pack(body)
	if err != nil {
		t.Fatal(err)
	}
	r, err := new(Pool).NewReader(Brotli, bytes.NewReader(packed))
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	plain, err := io.ReadAll(r)
	if err != nil || !bytes.Equal(plain, body) {
		t.Errorf("%d bytes come back of %d, error %v", len(plain), len(body), err)
	}
	if after := runtime.NumGoroutine(); after > before {
		t.Errorf("%d goroutines are left behind", after-before)
	}
}
