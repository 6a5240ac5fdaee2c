package store

import "time"

// A Timestamp is a moment in nanoseconds since the Unix epoch, UTC. The zero
// value is "unset": an optional timestamp that is zero is absent on the wire.
type Timestamp int64

// At returns the timestamp of t. A time outside the years 1678 to 2262 has no
// timestamp and gives an undefined value, as [time.Time.UnixNano] does.
func At(t time.Time) Timestamp { return Timestamp(t.UnixNano()) }

// Time returns the moment in UTC.
func (t Timestamp) Time() time.Time { return time.Unix(0, int64(t)).UTC() }
