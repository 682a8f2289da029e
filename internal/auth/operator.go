package auth

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

const (
	// operatorPrefix begins an operator's pass: lo_, until when it is good, what proves it.
	operatorPrefix = "lo_"
	// operatorTime is how long a pass is good.
	operatorTime = time.Minute
)

// SignOperator makes the pass by which who holds the server's secret is the operator, on
// the server's own machine.
func SignOperator(secret []byte, now time.Time) string {
	until := strconv.FormatInt(now.Add(operatorTime).Unix(), 10)
	return operatorPrefix + until + "_" + operatorMAC(secret, until)
}

func operatorMAC(secret []byte, until string) string {
	mac := hmac.New(sha256.New, secret)
	mac.Write([]byte("linnet operator " + until)) // its own words: no token is signed as this
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// IsOperator says whether a text wants to be an operator's pass.
func (v *Verifier) IsOperator(text string) bool { return strings.HasPrefix(text, operatorPrefix) }

// Operator says whether a text is a good operator's pass.
func (v *Verifier) Operator(text string) bool {
	until, mac, _ := strings.Cut(strings.TrimPrefix(text, operatorPrefix), "_")
	if !hmac.Equal([]byte(mac), []byte(operatorMAC(v.cfg.Secret, until))) {
		return false
	}
	end, err := strconv.ParseInt(until, 10, 64)
	return err == nil && v.cfg.Now().Unix() <= end
}
