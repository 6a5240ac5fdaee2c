package probe

import (
	"bytes"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

func read() counters {
	c := counters{at: time.Now()}
	readGC(&c)
	stat, err := os.ReadFile("/proc/stat")
	if line, _, ok := bytes.Cut(stat, []byte("\n")); err == nil && ok {
		c.total, c.steal, c.known = parseStat(string(line))
	}
	if psi, err := os.ReadFile("/proc/pressure/cpu"); err == nil {
		c.psi = parsePressure(string(psi))
	}
	var ru unix.Rusage
	if unix.Getrusage(unix.RUSAGE_SELF, &ru) == nil {
		c.forced = ru.Nivcsw
	}
	return c
}

// parseStat reads the first line of /proc/stat: user nice system idle iowait irq softirq steal, then guest
// times, which user and nice contain already.
func parseStat(line string) (total, steal float64, ok bool) {
	f := strings.Fields(line)
	if len(f) < 9 || f[0] != "cpu" {
		return 0, 0, false
	}
	for i, s := range f[1:9] {
		v, err := strconv.ParseFloat(s, 64)
		if err != nil {
			return 0, 0, false
		}
		total += v
		if i == 7 {
			steal = v
		}
	}
	return total, steal, true
}

// parsePressure reads the total of the line "some" in microseconds.
func parsePressure(s string) float64 {
	for line := range strings.Lines(s) {
		if rest, ok := strings.CutPrefix(strings.TrimSpace(line), "some "); ok {
			if _, total, ok := strings.Cut(rest, "total="); ok {
				v, _ := strconv.ParseFloat(total, 64)
				return v
			}
		}
	}
	return 0
}
