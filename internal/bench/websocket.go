package bench

import (
	"bufio"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

// The WebSocket operations that the generator knows.
const (
	opText  = 0x1
	opClose = 0x8
	opPing  = 0x9
	opPong  = 0xa
)

// The heads of the generator's frames: a 16-bit length, or a short one, and the mask.
const (
	clientHead = 8
	shortHead  = 6 // of a frame below 126 bytes
)

// websocket is the framing of a WebSocket client. It masks with zeros: the mask is to
// keep proxies from being tricked, there is none here, and the generator should not
// spend on it what the server cannot then have. The server unmasks as ever.
type websocket struct{}

func (websocket) next(b []byte) (payload []byte, used int, reply []byte, err error) {
	if len(b) < 2 {
		return nil, 0, nil, nil
	}
	if b[0]&0xf0 != 0x80 || b[1]&0x80 != 0 {
		return nil, 0, nil, errors.New("a WebSocket frame that is fragmented, compressed or masked")
	}
	size, head := uint64(b[1]), 2
	switch {
	case size == 126 && len(b) >= 4:
		size, head = uint64(binary.BigEndian.Uint16(b[2:])), 4
	case size == 127 && len(b) >= 10:
		size, head = binary.BigEndian.Uint64(b[2:]), 10
	case size >= 126:
		return nil, 0, nil, nil
	}
	if size > maxFrame {
		return nil, 0, nil, fmt.Errorf("a frame over %d bytes", maxFrame)
	}
	used = head + int(size)
	if len(b) < used {
		return nil, 0, nil, nil
	}
	payload = b[head:used:used]
	switch b[0] & 0x0f {
	case opText:
		return payload, used, nil, nil
	case opPing:
		pong := append([]byte{0x80 | opPong, 0x80 | byte(size), 0, 0, 0, 0}, payload...)
		return nil, used, pong, nil
	case opPong:
		return nil, used, nil, nil
	case opClose:
		return nil, 0, nil, fmt.Errorf("the server closed the WebSocket: %q", payload)
	}
	return nil, 0, nil, fmt.Errorf("a WebSocket frame of kind %d", b[0]&0x0f)
}

func (websocket) begin(b []byte) []byte {
	return append(b, 0x80|opText, 0x80|126, 0, 0, 0, 0, 0, 0)
}

// end writes the length in its shortest form, which the protocol asks for: a short
// frame moves to where its shorter head ends. No frame of ours reaches 64 KiB.
func (websocket) end(b []byte, start int) []byte {
	size := len(b) - start - clientHead
	if size >= 126 {
		binary.BigEndian.PutUint16(b[start+2:], uint16(size))
		return b
	}
	b[start+1] = 0x80 | byte(size)
	copy(b[start+shortHead:], b[start+clientHead:])
	return b[:start+shortHead+size]
}

// upgrade makes the opening handshake on c.
func upgrade(c net.Conn, addr string, grace time.Duration) error {
	if err := c.SetDeadline(time.Now().Add(grace)); err != nil {
		return err
	}
	var key [16]byte
	rand.Read(key[:]) // does not fail
	_, err := fmt.Fprintf(c, "GET /v1/socket HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", addr, base64.StdEncoding.EncodeToString(key[:]))
	if err != nil {
		return err
	}
	// The server speaks first only after session.open, so nothing is lost in this reader.
	r := bufio.NewReaderSize(c, 1024)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		return fmt.Errorf("websocket handshake: %w", err)
	}
	if response.StatusCode != http.StatusSwitchingProtocols || r.Buffered() > 0 {
		return fmt.Errorf("websocket handshake: the server answered %s", response.Status)
	}
	return c.SetDeadline(time.Time{})
}
