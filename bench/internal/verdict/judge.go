package verdict

import (
	"fmt"
	"time"
)

// Outcome of a claim.
type Outcome string

// The outcomes, best first.
const (
	Pass         Outcome = "PASS"
	Inconclusive Outcome = "INCONCLUSIVE"
	Fail         Outcome = "FAIL"
)

// Exit codes of the bench.
const (
	ExitPass         = 0
	ExitError        = 1 // The bench could not run.
	ExitInconclusive = 75
	ExitFail         = 99
)

// Exit is the process's exit code for an outcome.
func (o Outcome) Exit() int {
	switch o {
	case Pass:
		return ExitPass
	case Fail:
		return ExitFail
	}
	return ExitInconclusive
}

// Worst is the outcome of several claims together: a breach outweighs everything, doubt outweighs success.
func Worst(all ...Outcome) Outcome {
	worst := Pass
	for _, o := range all {
		if o == Fail || o != Pass && worst == Pass {
			worst = o
		}
	}
	return worst
}

// Limits are the fixed figures of the rules.
const (
	Rounds       = 5                      // Of one stage; one extension doubles them.
	NeedAchieved = 0.99                   // Of the rate wanted.
	MaxLag       = 100 * time.Microsecond // p95 of the generator's lag.
	MaxControl   = 500 * time.Microsecond // p95 of the raw client on a quiet machine.
	MaxHiccup    = 300 * time.Microsecond // p95 of what a 1 ms sleep overshoots.
	MaxSteal     = 0.02                   // Of the processors' time.
)

// Round is one round of one cell.
type Round struct {
	P95      time.Duration `json:"p95_ns"`
	Upper    time.Duration `json:"p95_upper_ns"` // 95 % bound.
	N        int64         `json:"n"`
	Achieved float64       `json:"achieved"`
	LagP95   time.Duration `json:"lag_p95_ns"`
	Control  time.Duration `json:"control_p95_ns"` // Raw client, same kind of request, same round.
	Errors   int64         `json:"errors"`
	Mismatch int64         `json:"mismatches"`
	Steal    float64       `json:"steal"`
	Hiccup   time.Duration `json:"hiccup_p95_ns"`
}

// Judgement is what rounds say of a claim.
type Judgement struct {
	Claim   string  `json:"claim"`
	Outcome Outcome `json:"outcome"`
	Reason  string  `json:"reason"`
	Figure  string  `json:"figure"` // The figure judged, in words.
}

// NeedsExtension tells that the first stage decided nothing, so that as many rounds again are run.
func NeedsExtension(rounds []Round, slo time.Duration) bool {
	pass, slow, _ := count(rounds, slo)
	return len(rounds) == Rounds && pass < Rounds && slow < Rounds && bad(rounds) == ""
}

// count tells in how many rounds the bound kept the SLO, the p95 broke it, and the control kept it.
func count(rounds []Round, slo time.Duration) (pass, slow, control int) {
	for _, r := range rounds {
		if r.Upper < slo {
			pass++
		}
		if r.P95 >= slo {
			slow++
		}
		if r.Control < slo {
			control++
		}
	}
	return pass, slow, control
}

// bad names errors and mismatches, which are a breach whatever the latency is.
func bad(rounds []Round) string {
	var errs, mism int64
	for _, r := range rounds {
		errs, mism = errs+r.Errors, mism+r.Mismatch
	}
	if errs+mism > 0 {
		return fmt.Sprintf("%d errors, %d mismatched reads", errs, mism)
	}
	return ""
}

// Latency judges "p95 < slo" by rounds: a first stage of five must be unanimous; after the extension nine of
// ten must agree. Noise can take a verdict away and never gives one.
func Latency(claim string, rounds []Round, slo time.Duration) Judgement {
	j := Judgement{Claim: claim, Outcome: Inconclusive}
	n := len(rounds)
	if n == 0 {
		j.Reason = "no complete round"
		return j
	}
	pass, slow, control := count(rounds, slo)
	worst, lag, achieved := time.Duration(0), time.Duration(0), 1.0
	for _, r := range rounds {
		worst, lag, achieved = max(worst, r.Upper), max(lag, r.LagP95), min(achieved, r.Achieved)
	}
	j.Figure = fmt.Sprintf("%s at most, %d of %d rounds", Micros(worst), pass, n)
	need := n
	if n >= 2*Rounds {
		need = n - n/(2*Rounds)
	}
	if s := bad(rounds); s != "" {
		j.Outcome, j.Reason = Fail, s
		return j
	}
	switch {
	case n < Rounds:
		j.Reason = fmt.Sprintf("%d rounds, a verdict needs %d", n, Rounds)
	case pass >= need && achieved < NeedAchieved:
		j.Reason = fmt.Sprintf("only %.1f %% of the rate was reached in the worst round", 100*achieved)
	case pass >= need && lagging(rounds):
		j.Reason = fmt.Sprintf("the generator itself was late: p95 up to %s, more than %s in most rounds", Micros(lag), Micros(MaxLag))
	case pass >= need:
		j.Outcome, j.Reason = Pass, fmt.Sprintf("%.1f times below %s", float64(slo)/float64(worst), Micros(slo))
	case slow >= need && control >= n-n/5:
		if s := noise(rounds); s != "" {
			j.Reason = s
		} else {
			j.Outcome, j.Reason = Fail, fmt.Sprintf("p95 of %s or more in %d of %d rounds, while the raw client kept it in %d", Micros(slo), slow, n, control)
		}
	case slow >= need:
		j.Reason = fmt.Sprintf("the raw client was slow too: it kept %s in %d of %d rounds only", Micros(slo), control, n)
	default:
		j.Reason = fmt.Sprintf("the rounds don't agree: %d of %d kept %s", pass, n, Micros(slo))
		if s := noise(rounds); s != "" {
			j.Reason += "; " + s
		}
	}
	return j
}

// lagging tells that the generator was late in most rounds.
func lagging(rounds []Round) bool {
	late := 0
	for _, r := range rounds {
		if r.LagP95 > MaxLag {
			late++
		}
	}
	return 2*late > len(rounds)
}

// noise says what about the machine makes a slow figure prove nothing.
func noise(rounds []Round) string {
	var steal float64
	var hiccup, control time.Duration
	for _, r := range rounds {
		steal, hiccup, control = max(steal, r.Steal), max(hiccup, r.Hiccup), max(control, r.Control)
	}
	switch {
	case steal > MaxSteal:
		return fmt.Sprintf("other machines took up to %.1f %% of the processors", 100*steal)
	case hiccup > MaxHiccup:
		return fmt.Sprintf("the machine stalls: a 1 ms sleep is %s late at p95", Micros(hiccup))
	case control > MaxControl:
		return fmt.Sprintf("the raw client needed up to %s itself", Micros(control))
	}
	return ""
}

// Micros writes a duration as people compare them: µs up to a millisecond, then ms.
func Micros(d time.Duration) string {
	us := float64(d) / 1e3
	switch {
	case d >= time.Hour:
		return "unbounded"
	case us < 10:
		return fmt.Sprintf("%.2f µs", us)
	case us < 100:
		return fmt.Sprintf("%.1f µs", us)
	case us < 1000:
		return fmt.Sprintf("%.0f µs", us)
	case us < 100_000:
		return fmt.Sprintf("%.2f ms", us/1e3)
	}
	return fmt.Sprintf("%.0f ms", us/1e3)
}
