package redistest

import (
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"syscall"
	"time"
)

// process is a running child. One goroutine, locked to its thread, starts it
// and waits for it: the kernel's parent-death signal is tied to the *thread*
// that forked, and a thread that the test program retires would take the
// server with it.
type process struct {
	pid  int
	sig  func(os.Signal) error
	done chan struct{} // closed when the process is over
	err  error         // how it ended; read after done
}

func spawn(bin string, args []string, dir, logPath string) (*process, error) {
	log, err := os.Create(logPath)
	if err != nil {
		return nil, err
	}
	cmd := exec.Command(bin, args...)
	cmd.Dir = dir
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = dieWithParent()

	p := &process{done: make(chan struct{})}
	started := make(chan error)
	go func() {
		runtime.LockOSThread()
		defer runtime.UnlockOSThread()
		defer log.Close()
		if err := cmd.Start(); err != nil {
			started <- err
			return
		}
		p.pid, p.sig = cmd.Process.Pid, cmd.Process.Signal
		started <- nil
		p.err = cmd.Wait()
		close(p.done)
	}()
	if err := <-started; err != nil {
		return nil, err
	}
	return p, nil
}

func (p *process) over() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// terminate ends the process with SIGTERM. An error means that it did not end
// in time, or had ended badly before.
func (p *process) terminate(grace time.Duration) error {
	if p.over() {
		if p.err != nil {
			return fmt.Errorf("had ended by itself: %w", p.err)
		}
		return nil
	}
	_ = p.sig(syscall.SIGTERM)
	_ = p.sig(syscall.SIGCONT) // a paused process takes no SIGTERM
	select {
	case <-p.done:
		return nil
	case <-time.After(grace):
		p.kill()
		return fmt.Errorf("killed: did not stop within %v of SIGTERM", grace)
	}
}

func (p *process) kill() {
	_ = p.sig(syscall.SIGKILL)
	<-p.done
}

func (p *process) pause() error {
	if err := p.sig(syscall.SIGSTOP); err != nil {
		return err
	}
	return waitStopped(p.pid)
}

func (p *process) resume() error { return p.sig(syscall.SIGCONT) }
