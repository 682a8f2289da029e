package chat

import (
	"fmt"
	"testing"
	"time"
)

// Who comes with device after device before they are written has no more of them wait than
// are kept. Mutant: came without the bound.
func TestVisitsAreBounded(t *testing.T) {
	s := &Service{cfg: Config{Now: time.Now}}
	for k := range 10 * maxDevices {
		id := fmt.Sprint("d", k)
		s.SignedIn("alice", &Device{ID: id})
		s.Left("alice", fmt.Sprint("gone", k))
		s.Left("alice", id)
	}
	v := s.visits.take()["alice"]
	if len(v.devices) != maxDevices {
		t.Errorf("%d devices wait", len(v.devices))
	}
	last := v.devices[len(v.devices)-2]
	if last.ID != fmt.Sprint("d", 10*maxDevices-1) || last.Since.IsZero() {
		t.Errorf("the last one that came is not among them: %+v", last)
	}
}
