package chat

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"strings"
	"unicode"
	"unicode/utf8"
)

// guestPrefix begins the id of every guest; no token may claim such an id.
const guestPrefix = "guest:"

const (
	maxUserID    = 64 // bytes
	maxGuestName = 128
)

// GuestID gives the id of the guest of that name.
func GuestID(name string) UserID { return UserID(guestPrefix + name) }

// IsGuest says whether the user named itself.
func (u UserID) IsGuest() bool { return strings.HasPrefix(string(u), guestPrefix) }

// CheckUserID says what is wrong with an id that is to be a user's: 1 to 64 bytes of
// UTF-8 without a colon, white space, control or invisible characters. A guest's is its
// prefix and a name of 1 to 128 bytes, which may have single blanks inside. It says
// nothing of whether such a user is known.
func CheckUserID(id UserID) error {
	name, guest := strings.CutPrefix(string(id), guestPrefix)
	if guest {
		if len(name) == 0 || len(name) > maxGuestName {
			return invalid("user", "a guest's name has 1 to %d bytes", maxGuestName)
		}
		if strings.TrimSpace(name) != name || strings.Contains(name, "  ") {
			return invalid("user", "a guest's name has no blanks around it or two in a row")
		}
		name = strings.ReplaceAll(name, " ", "")
	} else if len(name) == 0 || len(name) > maxUserID {
		return invalid("user", "a user id has 1 to %d bytes", maxUserID)
	}
	if !utf8.ValidString(name) {
		return invalid("user", "a user id is UTF-8")
	}
	for _, r := range name {
		// Cf holds the invisible and the bidirectional characters: ids that look alike but differ.
		if r == ':' || unicode.IsSpace(r) || unicode.IsControl(r) || unicode.In(r, unicode.Cf) {
			return invalid("user", "a user id has no colon, white space, control or invisible character")
		}
	}
	return nil
}

// idEncoding is base32 in lower case without padding: 26 characters for 128 bits.
func idEncoding(b []byte) string {
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}

// DirectID gives the id of the direct conversation between a and b, which is the same
// on every server: "d_" and the first 26 base32 characters of SHA-256 over the sorted
// ids, each after its length in two bytes.
func DirectID(a, b UserID) ConversationID {
	pair := sortedPair(a, b)
	buf := make([]byte, 0, 4+len(a)+len(b))
	for _, u := range pair {
		buf = binary.BigEndian.AppendUint16(buf, uint16(len(u)))
		buf = append(buf, u...)
	}
	sum := sha256.Sum256(buf)
	return ConversationID("d_" + idEncoding(sum[:])[:26])
}

func sortedPair(a, b UserID) [2]UserID {
	if b < a {
		a, b = b, a
	}
	return [2]UserID{a, b}
}

// NewGroupID makes the id of a new group: "g_" and 128 random bits.
func NewGroupID() ConversationID { return ConversationID("g_" + randomID()) }

// NewID makes a random id of 26 characters, for sessions and the like.
func NewID() string { return randomID() }

func randomID() string {
	var b [16]byte
	rand.Read(b[:])
	return idEncoding(b[:])
}
