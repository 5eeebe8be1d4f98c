package upstream

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"runtime"
	"strings"
	"testing"
	"time"
)

// echoOrigin is a WebSocket origin as far as a tunnel can tell: it switches, and
// sends back every frame it gets with its mask taken off.
func echoOrigin(t *testing.T) string {
	return rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
		head := readHead(r)
		if up, _ := field(head, "Upgrade"); up != "websocket" {
			_, _ = io.WriteString(c, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
			return
		}
		key, _ := field(head, "Sec-WebSocket-Key")
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "+key+"\r\nSet-Cookie: a=b\r\n\r\n")
		for {
			opcode, payload, err := readFrame(r)
			if err != nil {
				return
			}
			_, _ = c.Write(frame(opcode, payload, nil))
			if opcode == 8 {
				return
			}
		}
	})
}

// frame makes a WebSocket frame; a visitor's has a mask of four bytes.
func frame(opcode byte, payload, mask []byte) []byte {
	b := []byte{0x80 | opcode}
	switch n := len(payload); {
	case n < 126:
		b = append(b, byte(n))
	case n < 1<<16:
		b = binary.BigEndian.AppendUint16(append(b, 126), uint16(n))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(n))
	}
	if mask == nil {
		return append(b, payload...)
	}
	b[1] |= 0x80
	b = append(b, mask...)
	for i, c := range payload {
		b = append(b, c^mask[i%4])
	}
	return b
}

func readFrame(r *bufio.Reader) (opcode byte, payload []byte, err error) {
	head := make([]byte, 2)
	if _, err = io.ReadFull(r, head); err != nil {
		return 0, nil, err
	}
	length := uint64(head[1] & 0x7f)
	if length >= 126 {
		extended := make([]byte, 2+6*(length-126))
		if _, err = io.ReadFull(r, extended); err != nil {
			return 0, nil, err
		}
		length = 0
		for _, b := range extended {
			length = length<<8 | uint64(b)
		}
	}
	mask := make([]byte, 4*(head[1]>>7))
	if _, err = io.ReadFull(r, mask); err != nil {
		return 0, nil, err
	}
	payload = make([]byte, length)
	_, err = io.ReadFull(r, payload)
	for i := range payload {
		if len(mask) > 0 {
			payload[i] ^= mask[i%4]
		}
	}
	return head[0] & 0xf, payload, err
}

// openWebSocket does the visitor's side of the handshake.
func openWebSocket(t *testing.T, address string) (net.Conn, *bufio.Reader) {
	t.Helper()
	c, r := dial(t, address)
	_, _ = io.WriteString(c, "GET /chat?x HTTP/1.1\r\nHost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: abc\r\n\r\n")
	head := readHead(r)
	if !strings.HasPrefix(head, "HTTP/1.1 101 Switching Protocols\r\n") {
		t.Fatalf("visitor got %q", head)
	}
	for name, want := range map[string]string{"Upgrade": "websocket", "Connection": "Upgrade", "Sec-WebSocket-Accept": "abc", "Set-Cookie": "a=b"} {
		if got, _ := field(head, name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	return c, r
}

var mask = []byte{1, 2, 3, 4}

func TestWebSocketCarriesFramesBothWays(t *testing.T) {
	g := &gate{}
	c, r := openWebSocket(t, newGate(t, echoOrigin(t), g))
	for _, size := range []int{0, 1, 125, 126, 5000, 70_000, 3 << 20} {
		payload := bytes.Repeat([]byte("x"), size)
		go func() { _, _ = c.Write(frame(2, payload, mask)) }()
		if _, got, err := readFrame(r); err != nil || !bytes.Equal(got, payload) {
			t.Fatalf("%d bytes: got %d, %v", size, len(got), err)
		}
	}
	if n := g.tunnels.Len(); n != 1 {
		t.Errorf("%d tunnels are open", n)
	}
	_, _ = c.Write(frame(8, nil, mask))
	if opcode, _, err := readFrame(r); err != nil || opcode != 8 {
		t.Errorf("frame %d, %v", opcode, err)
	}
	if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil {
		t.Errorf("after the end: %q, %v", rest, err)
	}
}

func TestWebSocketFramesSentWithTheHandshakeArrive(t *testing.T) {
	c, r := dial(t, newGate(t, echoOrigin(t), &gate{}))
	_, _ = io.WriteString(c, "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"+string(frame(1, []byte("early"), mask)))
	readHead(r)
	if _, got, err := readFrame(r); string(got) != "early" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestWebSocketRefusedByTheOriginIsAnOrdinaryResponse(t *testing.T) {
	origin, _ := recorder(t)
	res, body := send(t, newGate(t, origin, &gate{}), "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if res.StatusCode != 200 || body != "ok" {
		t.Errorf("status %d %q", res.StatusCode, body)
	}
}

func TestWebSocketVisitorWhoLeavesEndsTheOrigins(t *testing.T) {
	ended := make(chan struct{})
	origin := rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
		readHead(r)
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: abc\r\nSet-Cookie: a=b\r\n\r\n")
		_, _ = io.Copy(io.Discard, r)
		close(ended)
	})
	c, _ := openWebSocket(t, newGate(t, origin, &gate{}))
	_ = c.Close()
	wait(t, "the origin's connection to end", ended)
}

func TestSilentWebSocketIsClosed(t *testing.T) {
	_, r := openWebSocket(t, newGateWith(t, Config{URL: echoOrigin(t), TunnelTimeout: 20 * time.Millisecond}, &gate{}))
	if rest, err := io.ReadAll(r); len(rest) > 0 || err != nil {
		t.Errorf("got %q, %v", rest, err)
	}
}

func TestWebSocketOutlivesTheStallTimeout(t *testing.T) {
	g := &gate{}
	address := newGateWith(t, Config{URL: echoOrigin(t), StallTimeout: 5 * time.Millisecond, HeaderTimeout: time.Millisecond * 50}, g)
	c, r := openWebSocket(t, address)
	timeout := time.NewTimer(1200 * time.Millisecond) // beyond the header timeout and its second
	<-timeout.C
	_, _ = c.Write(frame(1, []byte("still here"), mask))
	if _, got, err := readFrame(r); string(got) != "still here" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestShutdownTellsWebSockets(t *testing.T) {
	g := &gate{}
	c, r := openWebSocket(t, newGate(t, echoOrigin(t), g))
	closed := make(chan struct{})
	go func() {
		defer close(closed)
		ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
		defer cancel()
		g.tunnels.Close(ctx)
	}()
	opcode, payload, err := readFrame(r)
	if err != nil || opcode != 8 || !bytes.Equal(payload, []byte{1001 >> 8, 1001 & 0xff}) {
		t.Fatalf("frame %d %x, %v, want a close frame with 1001", opcode, payload, err)
	}
	_, _ = c.Write(frame(8, payload, mask)) // as browsers answer; the origin then ends it
	wait(t, "Close", closed)
	if n := g.tunnels.Len(); n != 0 {
		t.Errorf("%d tunnels are open", n)
	}
	res, _ := send(t, address(t, c), "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n")
	if res.StatusCode == http.StatusSwitchingProtocols {
		t.Error("a tunnel was opened after Close")
	}
}

func address(t *testing.T, c net.Conn) string {
	t.Helper()
	return c.RemoteAddr().String()
}

func TestShutdownCutsWebSocketsThatDoNotListen(t *testing.T) {
	g := &gate{}
	_, r := openWebSocket(t, newGate(t, echoOrigin(t), g))
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Millisecond)
	defer cancel()
	g.tunnels.Close(ctx)
	if _, _, err := readFrame(r); err != nil {
		t.Errorf("no close frame: %v", err)
	}
	if rest, err := io.ReadAll(r); len(rest) > 0 {
		t.Errorf("got %q, %v", rest, err)
	}
}

func TestGoodbyeWaitsForTheFrameThatIsOnItsWay(t *testing.T) {
	next := make(chan struct{})
	origin := rawOrigin(t, func(_ int, c net.Conn, r *bufio.Reader) {
		readHead(r)
		_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: abc\r\nSet-Cookie: a=b\r\n\r\n")
		whole := frame(1, []byte("half and half"), nil)
		_, _ = c.Write(whole[:7])
		<-next
		_, _ = c.Write(append(whole[7:], frame(1, []byte("too late"), nil)[:4]...))
		_, _ = io.Copy(io.Discard, r)
	})
	g := &gate{}
	_, r := openWebSocket(t, newGate(t, origin, g))
	if _, err := r.Peek(7); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	go g.tunnels.Close(ctx)
	for going := false; !going; { // until the tunnel knows that it is to end
		runtime.Gosched()
		open := g.tunnels.snapshot()
		going = len(open) == 1 && open[0].isGoing()
	}
	close(next)
	if _, got, err := readFrame(r); string(got) != "half and half" || err != nil {
		t.Fatalf("got %q, %v", got, err)
	}
	if opcode, _, err := readFrame(r); opcode != 8 || err != nil {
		t.Errorf("frame %d, %v, want a close frame", opcode, err)
	}
	cancel()
	if rest, _ := io.ReadAll(r); len(rest) > 0 {
		t.Errorf("after the close frame: %q", rest)
	}
}

func (ts *Tunnels) snapshot() (open []*tunnel) {
	ts.mu.Lock()
	defer ts.mu.Unlock()
	for t := range ts.open {
		open = append(open, t)
	}
	return open
}

func (t *tunnel) isGoing() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.going
}

func TestFramesFindsBoundariesHoweverTheBytesCome(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	var stream []byte
	ends := map[int]bool{}
	for _, size := range []int{0, 1, 125, 126, 127, 300, 65535, 65536, 0, 0, 2} {
		for _, m := range [][]byte{nil, mask} {
			stream = append(stream, frame(2, bytes.Repeat([]byte{0x81}, size), m)...)
			ends[len(stream)] = true
		}
	}
	for round := range 200 {
		var f frames
		for at := 0; at < len(stream); {
			n := min(1+rng.IntN(1+round*20), len(stream)-at)
			want := -1
			for i := 1; i <= n; i++ {
				if ends[at+i] {
					want = i
				}
			}
			if got := f.advance(stream[at : at+n]); got != want {
				t.Fatalf("round %d, bytes %d to %d: boundary %d, want %d", round, at, at+n, got, want)
			}
			at += n
			if f.between() != ends[at] {
				t.Fatalf("round %d, byte %d: between = %v", round, at, f.between())
			}
		}
	}
}
