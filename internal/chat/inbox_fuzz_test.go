package chat

import "testing"

// A page token is what a peer makes of it: it is one of ours, which comes back as it was,
// or refused.
func FuzzPlace(f *testing.F) {
	f.Add("")
	f.Add("eyJyIjoxLCJvIjotMSwiaSI6ImdfMSJ9")
	f.Add(place{2, -7, "d_x"}.token())
	f.Fuzz(func(t *testing.T, token string) {
		p, err := parsePlace(token)
		if err != nil || p == nil {
			if (err == nil) != (token == "") {
				t.Fatalf("%q: %v, %v", token, p, err)
			}
			return
		}
		again, err := parsePlace(p.token())
		if len(p.token()) <= maxCursor && (err != nil || *again != *p) {
			t.Fatalf("%+v became %+v, %v", p, again, err)
		}
	})
}
