package text

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"net/netip"
	"strings"
	"time"
)

const (
	// codeSize is the length of a code. With one for the shortest frame, iam:a, the answer
	// has 15 bytes, three times as many as that: a longer one could not be sent.
	codeSize = 8
	// codeTime is how long a code is given out; it is taken for as long again.
	codeTime = time.Minute
	// maxAnswer is how many times the bytes of its datagram an answer may have that goes
	// to a source which has not sent a code back.
	maxAnswer = 3
)

// codes are what a source sends back to show that it reads what goes to its address,
// which can be forged. They are a keyed hash of the address and the time: nothing is
// kept for who has not shown it.
type codes struct {
	key [32]byte
}

func newCodes() *codes {
	c := new(codes)
	_, _ = rand.Read(c.key[:]) // never fails
	return c
}

// codeLetters are what codes are written with: none that looks like another.
const codeLetters = "abcdefghijkmnpqrstuvwxyz23456789"

var codeEncoding = base32.NewEncoding(codeLetters)

// code gives the code of a source in the codeTime that t is in.
func (c *codes) code(addr netip.AddrPort, t time.Time) string {
	mac := hmac.New(sha256.New, c.key[:])
	mac.Write(binary.BigEndian.AppendUint64(nil, uint64(t.Unix()/int64(codeTime/time.Second))))
	mac.Write([]byte(addr.String()))
	return codeEncoding.EncodeToString(mac.Sum(nil))[:codeSize]
}

// valid says whether code is one that the source was sent and that is not old.
func (c *codes) valid(addr netip.AddrPort, code string, now time.Time) bool {
	return hmac.Equal([]byte(code), []byte(c.code(addr, now))) ||
		hmac.Equal([]byte(code), []byte(c.code(addr, now.Add(-codeTime))))
}

// cutCode cuts NAME#CODE. Without what looks like a code, all of it is the name.
func cutCode(text string) (name, code string) {
	i := len(text) - codeSize - 1
	if i < 0 || text[i] != '#' {
		return text, ""
	}
	for _, r := range text[i+1:] {
		if !strings.ContainsRune(codeLetters, r) {
			return text, ""
		}
	}
	return text[:i], text[i+1:]
}
