package e2e

import (
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"syscall"
	"time"
)

// process is a server that a test runs.
type process struct {
	cmd  *exec.Cmd
	log  string // the file that its output goes to
	done chan struct{}
}

// startProcess starts a program and waits until the address answers.
func startProcess(log, address string, env []string, name string, args ...string) (*process, error) {
	file, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	cmd := exec.Command(name, args...)
	cmd.Stdout, cmd.Stderr, cmd.Env = file, file, env
	// A group of its own, so that its children end with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd, log: log, done: make(chan struct{})}
	go func() {
		_ = cmd.Wait()
		close(p.done)
	}()
	if err := p.await(address); err != nil {
		p.stop()
		return nil, fmt.Errorf("%s: %w:\n%s", name, err, p.output())
	}
	return p, nil
}

func (p *process) await(address string) error {
	deadline := time.After(time.Minute)
	for {
		conn, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			return conn.Close()
		}
		select {
		case <-p.done:
			return fmt.Errorf("ended early: %s", p.cmd.ProcessState)
		case <-deadline:
			return fmt.Errorf("does not answer at %s", address)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func (p *process) stop() {
	_ = syscall.Kill(-p.cmd.Process.Pid, syscall.SIGKILL)
	<-p.done
}

func (p *process) output() string {
	text, err := os.ReadFile(p.log)
	if err != nil {
		return err.Error()
	}
	return string(text)
}

// freeAddress returns an address of this machine that nobody listens at. Its port is
// below those that Linux gives to connections: of these the tests make thousands, and
// one could have the port before the listener is there.
func freeAddress() (string, error) {
	const lowest, highest = 20000, 32000
	var err error
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", lowest+rand.IntN(highest-lowest))
		var l net.Listener
		if l, err = net.Listen("tcp", address); err == nil {
			return address, l.Close()
		}
	}
	return "", err
}
