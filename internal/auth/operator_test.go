package auth

import (
	"strings"
	"testing"
	"time"
)

// Mutants: the time not looked at; the MAC not compared; a MAC over nothing but the time.
func TestOperatorsPass(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	secret := []byte("0123456789abcdef0123456789abcdef")
	v := New(Config{Secret: secret, Now: func() time.Time { return now }})
	good := SignOperator(secret, now)
	if !v.IsOperator(good) || !v.Operator(good) || !v.Operator(SignOperator(secret, now.Add(-time.Minute))) {
		t.Error("a good pass is refused")
	}
	longer := strings.Replace(good, "1800000060", "1900000060", 1)
	for what, pass := range map[string]string{
		"old": SignOperator(secret, now.Add(-61*time.Second)), "another secret's": SignOperator([]byte("another secret of thirty-two byte"), now),
		"made longer": longer, "empty": "lo_", "without a proof": "lo_1800000060_", "a word": "lo_never_x",
	} {
		if v.Operator(pass) {
			t.Errorf("taken: %s", what)
		}
	}
	if longer == good {
		t.Fatal("the test makes nothing longer")
	}
}
