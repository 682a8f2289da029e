package lines

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
)

func cut(t testing.TB, c *Cutter, parts ...string) (lines []string, err error) {
	t.Helper()
	for _, p := range parts {
		err = c.Feed([]byte(p), func(line []byte) error {
			lines = append(lines, string(line))
			return nil
		})
		if err != nil {
			return lines, err
		}
	}
	return lines, nil
}

func TestCutter(t *testing.T) {
	tests := []struct {
		name  string
		parts []string
		want  []string
		rest  string
		err   error
	}{
		{"one", []string{"abc\n"}, []string{"abc"}, "", nil},
		{"glued", []string{"a\nb\r\n\n \nc"}, []string{"a", "b"}, "c", nil},
		{"split", []string{"a", "b", "c\nd"}, []string{"abc"}, "d", nil},
		{"longest", []string{"12345678\r\n"}, []string{"12345678"}, "", nil},
		{"longest in bits", []string{"1234", "5678", "\r", "\n"}, []string{"12345678"}, "", nil},
		{"too long", []string{"123456789\n"}, nil, "", ErrTooLong},
		{"too long without an end", []string{"12345", "67890"}, nil, "", ErrTooLong},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := &Cutter{Max: 8}
			got, err := cut(t, c, tt.parts...)
			if !slices.Equal(got, tt.want) || !errors.Is(err, tt.err) {
				t.Fatalf("got %q, %v", got, err)
			}
			if err == nil && string(c.Rest()) != tt.rest {
				t.Errorf("rest %q, not %q", c.Rest(), tt.rest)
			}
		})
	}
}

func FuzzCutter(f *testing.F) {
	f.Add([]byte("a\nbb\r\n\nccc"), 3)
	f.Fuzz(func(t *testing.T, data []byte, size int) {
		size = max(1, size%16)
		whole, wholeErr := cut(t, &Cutter{Max: 32}, string(data))
		var parts []string
		for part := range slices.Chunk(data, size) {
			parts = append(parts, string(part))
		}
		c := &Cutter{Max: 32}
		bits, bitsErr := cut(t, c, parts...)
		if wholeErr == nil && bitsErr == nil && !slices.Equal(whole, bits) {
			t.Fatalf("whole %q, in bits %q", whole, bits)
		}
		if len(c.pending) > 33 {
			t.Fatalf("keeps %d bytes", len(c.pending))
		}
		for _, l := range bits {
			if len(l) > 32 || strings.ContainsRune(l, '\n') || len(bytes.TrimSpace([]byte(l))) == 0 {
				t.Fatalf("line %q", l)
			}
		}
	})
}
