package policy

import (
	"strconv"
	"strings"
	"time"
)

// parseDate reads a date of the W3C profile of ISO 8601 or seconds since 1970
// and returns milliseconds since 1970. A text of four digits is both; the
// second reading is then given too.
func parseDate(s string) (millis, other int64, two, ok bool) {
	seconds, isEpoch := parseEpoch(s)
	for _, layout := range [...]string{
		time.RFC3339, "2006-01-02T15:04Z07:00", time.DateOnly, "2006-01", "2006",
		"2006-01-02T15:04:05Z0700", "2006-01-02T15:04:05", "2006-01-02T15:04",
	} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UnixMilli(), seconds, isEpoch, true
		}
	}
	return seconds, 0, false, isEpoch
}

// parseEpoch reads seconds since 1970, with a fraction or not.
func parseEpoch(s string) (millis int64, ok bool) {
	whole, fraction, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
	if whole == "" || len(whole) > 14 || !allDigits(whole) || !allDigits(fraction) {
		return 0, false
	}
	n, err := strconv.ParseInt(whole+(fraction + "000")[:3], 10, 64)
	if err != nil {
		return 0, false
	}
	if s[0] == '-' {
		n = -n
	}
	return n, true
}

// formatDate is the text for milliseconds since 1970.
func formatDate(millis int64) string {
	return time.UnixMilli(millis).UTC().Format("2006-01-02T15:04:05.000Z07:00")
}
