package conn

import (
	"context"
	"errors"
	"fmt"
	"io"
	"testing"

	"github.com/redis/rueidis"
	"github.com/redis/rueidis/mock"
)

func TestClassify(t *testing.T) {
	reply := func(text string) error { return mock.Result(mock.RedisError(text)).Error() }
	for _, c := range []struct {
		err  error
		want Class
	}{
		{nil, OK},
		{mock.Result(mock.RedisNil()).Error(), OK},
		// The server is not ready and has done nothing.
		{reply("LOADING Redis is loading the dataset in memory"), NotApplied},
		{reply("TRYAGAIN Multiple keys request during rehashing of slot"), NotApplied},
		{reply("CLUSTERDOWN The cluster is down"), NotApplied},
		{reply("MASTERDOWN Link with MASTER is down"), NotApplied},
		{reply("READONLY You can't write against a read only replica."), NotApplied},
		{reply("OOM command not allowed when used memory > 'maxmemory'."), NotApplied},
		{reply("BUSY Redis is busy running a script."), NotApplied},
		{reply("MISCONF Redis is configured to save RDB snapshots"), NotApplied},
		{reply("NOREPLICAS Not enough good replicas to write."), NotApplied},
		{reply("MOVED 1234 127.0.0.1:7001"), NotApplied},
		{reply("ASK 1234 127.0.0.1:7001"), NotApplied},
		{reply("EXECABORT Transaction discarded because of: OOM command not allowed"), NotApplied},
		// Permanent.
		{reply("EXECABORT Transaction discarded because of previous errors."), Refused},
		{reply("NOAUTH Authentication required."), Refused},
		{reply("WRONGPASS invalid username-password pair or user is disabled."), Refused},
		{reply("NOPERM User x has no permissions to run the 'set' command"), Refused},
		{reply("WRONGTYPE Operation against a key holding the wrong kind of value"), Refused},
		{reply("ERR syntax error"), Refused},
		{reply("ERR Protocol error: invalid bulk length"), Refused},
		// Nothing was sent.
		{&DialError{"127.0.0.1:1", errors.New("connection refused")}, NotApplied},
		{&DialError{"127.0.0.1:1", &replyError{"LOADING"}}, NotApplied},
		{&DialError{"127.0.0.1:1", &replyError{"WRONGPASS invalid username-password pair"}}, Refused},
		{&DialError{"127.0.0.1:1", &Unfit{"not Redis"}}, Refused},
		{NotSent(context.Canceled), NotApplied},
		{fmt.Errorf("wrapped: %w", &DialError{"a", io.EOF}), NotApplied},
		// Sent, and no reply was read.
		{io.EOF, Unknown},
		{context.DeadlineExceeded, Unknown},
		{errors.New("read: connection reset by peer"), Unknown},
		{rueidis.ErrClosing, Closed},
	} {
		if got := Classify(c.err); got != c.want {
			t.Errorf("Classify(%v) = %d, want %d", c.err, got, c.want)
		}
	}
}

func TestRetryStops(t *testing.T) {
	calls := 0
	permanent := errors.New("sent and lost")
	if err := Retry(t.Context(), func() error { calls++; return permanent }); err != permanent || calls != 1 {
		t.Errorf("an unknown outcome was tried %d times: %v", calls, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	calls = 0
	err := Retry(ctx, func() error {
		if calls++; calls == 3 {
			cancel()
		}
		return NotSent(io.EOF)
	})
	if !errors.Is(err, io.EOF) || calls != 3 {
		t.Errorf("a cancelled retry ended after %d calls with %v, want 3", calls, err)
	}
	calls = 0
	if err := Retry(t.Context(), func() error {
		if calls++; calls < 4 {
			return NotSent(io.EOF)
		}
		return nil
	}); err != nil || calls != 4 {
		t.Errorf("after %d calls: %v", calls, err)
	}
}
