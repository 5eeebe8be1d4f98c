package banner

import "time"

func time0() time.Time { return time.Date(2026, 11, 24, 13, 0, 0, 0, time.UTC) }
