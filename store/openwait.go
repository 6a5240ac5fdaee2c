package store

import (
	"context"
	"errors"
	"math/rand/v2"
	"time"
)

// connect connects, and waits for a server that is not there yet or is still
// loading as long as the configuration says.
func (sh *shared) connect(ctx context.Context) error {
	end := time.Now().Add(sh.cfg.OpenWait)
	for try := 0; ; try++ {
		err := sh.connectOnce(ctx)
		if err == nil || !errors.Is(err, ErrUnavailable) {
			return err
		}
		left := time.Until(end)
		if left <= 0 || ctx.Err() != nil {
			return err
		}
		// 25 ms doubling to 1 s, half of it random; the last try is at the end.
		d := 25 * time.Millisecond << min(try, 5)
		d = min(d/2+rand.N(d/2+1), left)
		if try == 0 {
			sh.log.Warn("waiting for redis", "address", sh.cfg.Database.address(), "open_wait", sh.cfg.OpenWait, "cause", err)
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(d):
		}
	}
}
