package wire

import (
	"testing"

	"github.com/google/uuid"
)

func TestParseUUID(t *testing.T) {
	want := [16]byte{0x01, 0x93, 0xc0, 0xde, 0xff, 0x0a, 0x7b, 0xcd, 0x80, 0, 0, 0, 0, 0, 0, 0x2f}
	for _, s := range []string{"0193c0de-ff0a-7bcd-8000-00000000002f", "0193C0DE-FF0A-7BCD-8000-00000000002F"} {
		if got, err := ParseUUID(s); err != nil || got != want {
			t.Errorf("%s: %x, %v", s, got, err)
		}
	}
	for _, s := range []string{
		"",
		"0193c0deff0a7bcd800000000000002f",
		"{0193c0de-ff0a-7bcd-8000-00000000002f}",
		"urn:uuid:0193c0de-ff0a-7bcd-8000-00000000002f",
		"0193c0de-ff0a-7bcd-8000-00000000002",
		"0193c0de-ff0a-7bcd-8000-00000000002f0",
		"0193c0de-ff0a-7bcd-80000-0000000002f",
		"0193c0de_ff0a_7bcd_8000_00000000002f",
		"0193c0de-ff0a-7bcd-8000-00000000002g",
		"0193c0de-ff0a-7bcd-8000-0000000000-f",
		"0193c0de-ff0a-7bcd-8000-00000000００",
	} {
		if got, err := ParseUUID(s); err == nil || got != [16]byte{} {
			t.Errorf("%q was taken: %x", s, got)
		}
	}
}

func TestNewUUIDv7(t *testing.T) {
	a, b := NewUUIDv7(), NewUUIDv7()
	if a >= b {
		t.Errorf("%s does not sort before %s", a, b)
	}
	got, err := ParseUUID(a)
	if err != nil || uuid.UUID(got).Version() != 7 || uuid.UUID(got).String() != a {
		t.Errorf("%s: %x, %v", a, got, err)
	}
}
