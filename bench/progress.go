package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// A progress shows where a run is: on a terminal a line that is written over, elsewhere a line for each step done.
type progress struct {
	w     io.Writer
	tty   bool
	width int
	stage string
	begun time.Time // When the stage began.
	drawn time.Time
	line  bool // An unfinished line stands on the terminal.
}

func newProgress(w io.Writer) *progress {
	p := &progress{w: w, width: 100}
	if f, ok := w.(*os.File); ok && term.IsTerminal(int(f.Fd())) && os.Getenv("TERM") != "dumb" {
		p.tty = true
		if cols, _, err := term.GetSize(int(f.Fd())); err == nil && cols > 20 {
			p.width = cols
		}
	}
	return p
}

// step begins a stage of the run.
func (p *progress) step(n, of int, name string) {
	p.stage = fmt.Sprintf("[%d/%d] %s", n, of, name)
	p.begun, p.drawn = time.Now(), time.Time{}
	p.show(-1, 0, "")
}

// show draws the bar: done of 1 (below 0: unknown), the time left (0: as the stage went so far), and how it looks.
func (p *progress) show(done float64, left time.Duration, text string) {
	if !p.tty || time.Since(p.drawn) < 100*time.Millisecond {
		return
	}
	p.drawn = time.Now()
	s := p.stage
	if done >= 0 {
		const cells = 16
		full := min(cells, int(done*cells))
		s += " ▕" + strings.Repeat("█", full) + strings.Repeat("░", cells-full) + "▏"
	}
	if left == 0 && done > 0.02 {
		left = time.Duration(float64(time.Since(p.begun)) * (1 - done) / done)
	}
	if left > 0 {
		s += fmt.Sprintf(" %d s left", int(left.Seconds()+0.5))
	}
	if text != "" {
		s += "  " + text
	}
	for utf8.RuneCountInString(s) >= p.width {
		_, n := utf8.DecodeLastRuneInString(s)
		s = s[:len(s)-n]
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s", s)
	p.line = true
}

// done finishes a step with a line that stays.
func (p *progress) done(format string, args ...any) {
	p.clear()
	fmt.Fprintf(p.w, format+"\n", args...)
}

func (p *progress) clear() {
	if p.line {
		fmt.Fprint(p.w, "\r\x1b[K")
		p.line = false
	}
}
