package chat

import (
	"slices"
	"time"
	_ "time/tzdata" // the time zones, for a system that has none
)

// QuietHours are when a user is not to be disturbed. Without ranges there are none.
type QuietHours struct {
	TimeZone string       `json:"time_zone,omitempty"` // an IANA name; the clock they are meant on, wherever the user travels
	Ranges   []QuietRange `json:"ranges,omitempty"`
}

// QuietRange is a time of the day on some days of the week. One that ends at or before
// its beginning goes on into the next day.
type QuietRange struct {
	Days []string `json:"days,omitempty"` // mon … sun, on which it begins; none: every day
	From string   `json:"from"`           // 22:30
	To   string   `json:"to"`             // the first minute after it
}

// maxQuietRanges is how many ranges a user has at most.
const maxQuietRanges = 28

// weekdays are the names of the days, as time.Weekday counts them.
var weekdays = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"} // never written to

func (q *QuietHours) check() error {
	const param = "quiet_hours"
	if len(q.Ranges) == 0 {
		return nil
	}
	if len(q.Ranges) > maxQuietRanges {
		return invalid(param, "%s: at most %d ranges", param, maxQuietRanges)
	}
	if _, err := loadZone(q.TimeZone); err != nil {
		return invalid(param, "%s.time_zone: the IANA name of a time zone, such as Asia/Shanghai", param)
	}
	for _, r := range q.Ranges {
		if len(r.Days) > len(weekdays) {
			return invalid(param, "%s.days: at most %d", param, len(weekdays))
		}
		for _, d := range r.Days {
			if err := oneOf(param+".days", d, weekdays...); err != nil {
				return invalid(param, "%s.days: mon, tue, wed, thu, fri, sat or sun", param)
			}
		}
		if _, ok := minuteOf(r.From); !ok {
			return invalid(param, "%s.from: hours and minutes, such as 22:30", param)
		}
		if _, ok := minuteOf(r.To); !ok {
			return invalid(param, "%s.to: hours and minutes, such as 07:00", param)
		}
	}
	return nil
}

// loadZone is time.LoadLocation for names that mean the same on every machine.
func loadZone(name string) (*time.Location, error) {
	if name == "" || name == "Local" || len(name) > 64 {
		return nil, invalid("time_zone", "no time zone")
	}
	return time.LoadLocation(name)
}

// minuteOf reads a time of the day, in minutes since midnight.
func minuteOf(text string) (minute int, ok bool) {
	t, err := time.Parse("15:04", text)
	return t.Hour()*60 + t.Minute(), err == nil && len(text) == len("15:04")
}

// Hold says whether it is quiet at a time. What does not parse is not quiet.
func (q *QuietHours) Hold(at time.Time) bool {
	if q == nil || len(q.Ranges) == 0 {
		return false
	}
	zone, err := loadZone(q.TimeZone)
	if err != nil {
		return false
	}
	at = at.In(zone)
	minute, today := at.Hour()*60+at.Minute(), at.Weekday()
	yesterday := (today + 6) % 7
	return slices.ContainsFunc(q.Ranges, func(r QuietRange) bool {
		from, ok1 := minuteOf(r.From)
		to, ok2 := minuteOf(r.To)
		switch {
		case !ok1 || !ok2:
			return false
		case from < to:
			return r.on(today) && minute >= from && minute < to
		}
		return r.on(today) && minute >= from || r.on(yesterday) && minute < to
	})
}

func (r *QuietRange) on(day time.Weekday) bool {
	return len(r.Days) == 0 || slices.Contains(r.Days, weekdays[day])
}
