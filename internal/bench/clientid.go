package bench

import (
	"crypto/rand"
	"encoding/hex"
	"strconv"
	"time"
)

// clientID makes the client ids of one connection: UUIDs of version 7 whose last
// group is a counter, so that an event says which of the sender's calls it came from.
// The random part is the connection's.
type clientID struct {
	random string // 8 hex digits: rand_a and the first of rand_b, with version and variant
}

func newClientID() clientID {
	var r [4]byte
	rand.Read(r[:]) // does not fail
	r[0] = r[0]&0x0f | 0x70
	r[2] = r[2]&0x3f | 0x80
	return clientID{random: hex.EncodeToString(r[:])}
}

// append appends the UUID for call n, which must be below 2^48, with the present time.
func (c clientID) append(b []byte, n int64) []byte {
	ms := uint64(time.Now().UnixMilli())
	b = appendHex(b, ms>>16, 8)
	b = append(b, '-')
	b = appendHex(b, ms&0xffff, 4)
	b = append(b, '-')
	b = append(b, c.random[:4]...)
	b = append(b, '-')
	b = append(b, c.random[4:]...)
	b = append(b, '-')
	return appendHex(b, uint64(n), 12)
}

func appendHex(b []byte, v uint64, digits int) []byte {
	const hexDigits = "0123456789abcdef"
	for shift := 4 * (digits - 1); shift >= 0; shift -= 4 {
		b = append(b, hexDigits[v>>shift&0xf])
	}
	return b
}

func appendInt(b []byte, n int64) []byte { return strconv.AppendInt(b, n, 10) }

// callOf reads the counter out of a frame's client_id.
func callOf(frame []byte) (n int64, ok bool) {
	i := indexAfter(frame, clientMark)
	if i < 0 || len(frame) < i+36 {
		return 0, false
	}
	for _, c := range frame[i+24 : i+36] {
		switch {
		case '0' <= c && c <= '9':
			n = n<<4 | int64(c-'0')
		case 'a' <= c && c <= 'f':
			n = n<<4 | int64(c-'a'+10)
		default:
			return 0, false
		}
	}
	return n, true
}
