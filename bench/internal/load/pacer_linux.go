package load

import "golang.org/x/sys/unix"

// Pacing says how this platform waits.
const Pacing = "nanosleep, timer slack 1 ns"

func sharpTimer() (release func()) {
	slack, err := unix.PrctlRetInt(unix.PR_GET_TIMERSLACK, 0, 0, 0, 0)
	if err != nil {
		slack = 50_000
	}
	_ = unix.Prctl(unix.PR_SET_TIMERSLACK, 1, 0, 0, 0) // Refused: the lag histogram shows it.
	return func() { _ = unix.Prctl(unix.PR_SET_TIMERSLACK, uintptr(slack), 0, 0, 0) }
}

func sleep(ns int64) {
	t := unix.NsecToTimespec(ns)
	for unix.Nanosleep(&t, &t) == unix.EINTR {
	}
}
