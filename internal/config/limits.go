package config

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Limits is everything that bounds what a peer can send or hold, in one place.
type Limits struct {
	FrameBytes     int // of a JSON frame or an HTTP body
	InFlight       int // calls of a connection that are not answered yet; then reading stops
	OutboxBytes    int // what waits for a slow peer; then it is closed
	HeaderBytes    int
	HeaderTimeout  time.Duration // for a whole HTTP header
	BodyTimeout    time.Duration // for a whole HTTP request
	AnswerTimeout  time.Duration // for a whole HTTP answer to be taken, from the request's header on; streams and polls have their own
	WriteTimeout   time.Duration // for anything to be taken on an HTTP/2 connection
	IdleTimeout    time.Duration // of an HTTP connection between requests
	HTTP2Streams   int           // requests at a time on an HTTP/2 connection
	PerAddress     int           // connections of one address that are not signed in yet
	MembersPerCall int
	GroupMembers   int
	DedupeWindow   time.Duration // how long a client_id is remembered

	// Rates hold for peers that are not on loopback.
	UserSendsPerSecond         float64
	UserSendsBurst             int
	UserSearchesPerSecond      float64
	UserSearchesBurst          int
	ConversationSendsPerSecond float64
	ConversationSendsBurst     int
	NewDirectsPerHour          int
	NewRoomsPerHour            int
	KeyCallsPerSecond          float64 // of a server key; an item of a bulk call is one
	KeyCallsBurst              int
	ReportsPerHour             int
	KeyBodyBytes               int // of an HTTP body that comes with a server key
	JoinsPerHour               int
}

// DefaultLimits answers the limits that hold where no setting says otherwise.
func DefaultLimits() Limits {
	return Limits{
		UserSearchesPerSecond: 5, UserSearchesBurst: 20,
		FrameBytes: 64 << 10, InFlight: 64, OutboxBytes: 256 << 10,
		HeaderBytes: 16 << 10, HeaderTimeout: 5 * time.Second, BodyTimeout: 30 * time.Second,
		AnswerTimeout: time.Minute, WriteTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		HTTP2Streams: 100, PerAddress: 256, MembersPerCall: 1000, GroupMembers: 100_000, DedupeWindow: 30 * 24 * time.Hour,
		UserSendsPerSecond: 20, UserSendsBurst: 40, ConversationSendsPerSecond: 100, ConversationSendsBurst: 200,
		NewDirectsPerHour: 30, NewRoomsPerHour: 10, KeyCallsPerSecond: 1000, KeyCallsBurst: 5000, KeyBodyBytes: 4 << 20, ReportsPerHour: 20, JoinsPerHour: 60,
	}
}

// LimitNames answers the names by which the setting limits takes each of them, sorted.
func LimitNames() []string {
	var names []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Limits]()) {
		names = append(names, kebab(f.Name))
	}
	slices.Sort(names)
	return names
}

// kebab gives a field's name the form of a setting: UserSendsBurst is user-sends-burst.
func kebab(field string) string {
	var b strings.Builder
	for i, r := range field {
		digit := i > 0 && unicode.IsDigit(r)
		if i > 0 && unicode.IsUpper(r) && !unicode.IsUpper(rune(field[i-1])) && !digit {
			b.WriteByte('-')
		}
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// set sets one limit from text such as user-sends-per-second=50.
func (l *Limits) set(text string) error {
	name, value, ok := strings.Cut(text, "=")
	if !ok {
		return fmt.Errorf("%q: NAME=VALUE, for example user-sends-per-second=50", text)
	}
	v := reflect.ValueOf(l).Elem()
	for i := range v.NumField() {
		if kebab(v.Type().Field(i).Name) != name {
			continue
		}
		f := v.Field(i)
		switch f.Interface().(type) {
		case time.Duration:
			d, err := time.ParseDuration(value)
			if err != nil || d <= 0 {
				return fmt.Errorf("%s: a time such as 90s, 5m or 720h", name)
			}
			f.SetInt(int64(d))
		case int:
			n, err := strconv.Atoi(value)
			if err != nil || n < 1 || n > 1<<30 {
				return fmt.Errorf("%s: a number from 1 to %d", name, 1<<30)
			}
			f.SetInt(int64(n))
		case float64:
			n, err := strconv.ParseFloat(value, 64)
			if err != nil || !(n > 0 && n <= 1e9) {
				return fmt.Errorf("%s: a number above 0", name)
			}
			f.SetFloat(n)
		}
		return nil
	}
	return errors.New(name + ": there is no such limit; they are " + strings.Join(LimitNames(), ", "))
}
