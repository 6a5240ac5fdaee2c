package probe

import "testing"

func TestParseProc(t *testing.T) {
	total, steal, ok := parseStat("cpu  100 0 50 800 10 0 10 30 5 5")
	if !ok || total != 1000 || steal != 30 {
		t.Errorf("stat: %v of %v (%v)", steal, total, ok)
	}
	if _, _, ok := parseStat("intr 5"); ok {
		t.Error("a line that is no cpu line is read")
	}
	if got := parsePressure("some avg10=0.00 avg60=0.00 avg300=0.00 total=12345\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"); got != 12345 {
		t.Errorf("pressure: %v", got)
	}
}
