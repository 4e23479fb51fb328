package torture

import (
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/brokle-ai/brokle-go/internal/clickhousetest"
	"github.com/brokle-ai/brokle-go/internal/redistest"
)

// fullClickHouse is how the names of those begin that need a disk of ClickHouse's own.
const fullClickHouse = "disk of ClickHouse full"

// misfortunes are all kinds.
func misfortunes() []*misfortune {
	return slices.Concat(ofNodes(), ofClickHouse(), ofTheLine(), ofRedis())
}

func ofNodes() []*misfortune {
	return []*misfortune{
		{"SIGKILL of a node", 3, func(s *sharing) error {
			w := s.moment(20*time.Millisecond, 600*time.Millisecond)
			w.kill()
			w.wait(w.between(0, 600*time.Millisecond))
			return w.start()
		}},
		{"SIGKILL of both nodes", 2, func(s *sharing) error {
			s.moment(20*time.Millisecond, 600*time.Millisecond)
			for _, w := range s.nodes {
				w.kill()
			}
			for _, w := range s.nodes {
				if err := w.start(); err != nil {
					return err
				}
			}
			return nil
		}},
		{"SIGKILL of a node, and again while it recovers", 2, func(s *sharing) error {
			w := s.moment(20*time.Millisecond, 300*time.Millisecond)
			w.kill()
			for range 1 + w.rng.IntN(4) {
				n, _, err := w.spawn()
				if err != nil {
					return err
				}
				w.node = n
				w.wait(w.between(0, 700*time.Millisecond))
				w.kill()
			}
			return w.start()
		}},
		{"a node killed between claim and log, or log and answer", 2, func(s *sharing) error { return killedAtPoint(s.any()) }},
		{"SIGTERM of a node", 1, func(s *sharing) error {
			w := s.moment(20*time.Millisecond, 300*time.Millisecond)
			if err := w.terminate(); err != nil {
				return err
			}
			return w.start()
		}},
		{"SIGSTOP and SIGCONT of a node", 1, func(s *sharing) error {
			w := s.moment(20*time.Millisecond, 300*time.Millisecond)
			if err := w.node.Cmd.Process.Signal(syscall.SIGSTOP); err != nil {
				return err
			}
			w.wait(w.between(100*time.Millisecond, 3*time.Second))
			return w.node.Cmd.Process.Signal(syscall.SIGCONT)
		}},
	}
}

func ofClickHouse() []*misfortune {
	return []*misfortune{
		{"SIGKILL of ClickHouse", 3, func(s *sharing) error {
			s.moment(20*time.Millisecond, 1500*time.Millisecond)
			s.killClickHouse(3 * time.Second)
			return nil
		}},
		{"SIGKILL of ClickHouse, again and again", 1, func(s *sharing) error {
			for range 2 + s.any().rng.IntN(2) {
				s.moment(0, 1200*time.Millisecond)
				s.killClickHouse(200 * time.Millisecond)
			}
			return nil
		}},
		{"SIGKILL of ClickHouse and of a node", 2, func(s *sharing) error {
			w := s.moment(20*time.Millisecond, 1500*time.Millisecond)
			var both sync.WaitGroup
			both.Go(func() { s.killClickHouse(time.Second) })
			w.kill()
			err := w.start()
			both.Wait()
			return err
		}},
		{"SIGSTOP and SIGCONT of ClickHouse", 1, func(s *sharing) error {
			s.moment(20*time.Millisecond, 600*time.Millisecond)
			s.server.Pause()
			s.moment(100*time.Millisecond, 3*time.Second)
			s.server.Resume()
			return nil
		}},
		{fullClickHouse, 2, func(s *sharing) error { return s.fillClickHouse(func() {}) }},
		{fullClickHouse + ", and SIGKILL of it", 1, func(s *sharing) error {
			return s.fillClickHouse(func() {
				s.kills++
				s.server.Kill()
			})
		}},
		{fullClickHouse + ", and SIGKILL of a node", 1, func(s *sharing) error {
			var err error
			full := s.fillClickHouse(func() {
				w := s.any()
				w.kill()
				err = w.start()
			})
			if full != nil {
				return full
			}
			return err
		}},
	}
}

// killClickHouse kills it and runs it again after at most so long.
func (s *sharing) killClickHouse(most time.Duration) {
	s.kills++
	s.server.Kill()
	s.moment(0, most)
	s.server.Restart()
}

// fillClickHouse takes all room of its disk that it lets itself use, and some of what it keeps free to end what it has begun, has something happen, and gives the room back.
func (s *sharing) fillClickHouse(meanwhile func()) error {
	w := s.moment(20*time.Millisecond, 600*time.Millisecond)
	empty, err := s.disk.fillBut(clickhousetest.KeepFree/2 + w.rng.Int64N(clickhousetest.KeepFree/2))
	if err != nil {
		return err
	}
	w.wait(w.between(500*time.Millisecond, 3*time.Second))
	meanwhile()
	w.wait(w.between(0, time.Second))
	if err := empty(); err != nil {
		return err
	}
	s.server.RestartIfDown()
	return nil
}

// ofTheLine befall what is between the nodes and ClickHouse.
func ofTheLine() []*misfortune {
	damage := func(kinds ...redistest.Fault) func(s *sharing) error {
		return func(s *sharing) error {
			w := s.moment(20*time.Millisecond, 300*time.Millisecond)
			kind, every := kinds[w.rng.IntN(len(kinds))], 2+w.rng.IntN(10)
			s.line.Plan(func(reply int) redistest.Fault {
				if reply%every == 0 {
					return kind
				}
				return redistest.None
			})
			w.wait(w.between(500*time.Millisecond, 3*time.Second))
			if w.rng.IntN(3) == 0 {
				w.kill()
				if err := w.start(); err != nil {
					return err
				}
			}
			s.line.Plan(nil)
			return nil
		}
	}
	return []*misfortune{
		{"network to ClickHouse cut", 2, func(s *sharing) error {
			s.moment(20*time.Millisecond, 1500*time.Millisecond)
			s.line.Sever()
			s.moment(100*time.Millisecond, 5*time.Second)
			s.line.Mend()
			return nil
		}},
		{"network to ClickHouse slow", 1, func(s *sharing) error {
			w := s.moment(20*time.Millisecond, 300*time.Millisecond)
			s.line.Plan(func(int) redistest.Fault { return redistest.Delay })
			w.wait(w.between(500*time.Millisecond, 4*time.Second))
			s.line.Plan(nil)
			return nil
		}},
		{"replies of ClickHouse cut, at times a node killed meanwhile", 2, damage(redistest.Cut, redistest.CutHalf)},
		{"replies of ClickHouse swallowed, at times a node killed meanwhile", 1, damage(redistest.Swallow)},
	}
}

// ofRedis may keep the nodes apart.
func ofRedis() []*misfortune {
	return []*misfortune{
		{"FLUSHALL of Redis", 1, func(s *sharing) error {
			for range 3 {
				s.redis.Do("FLUSHALL")
				s.moment(50*time.Millisecond, 200*time.Millisecond)
			}
			return nil
		}},
		{"SIGKILL of Redis", 2, func(s *sharing) error {
			s.moment(20*time.Millisecond, 300*time.Millisecond)
			s.killRedis()
			return nil
		}},
		{"SIGKILL of Redis, of ClickHouse and of a node", 2, func(s *sharing) error {
			w := s.moment(20*time.Millisecond, 600*time.Millisecond)
			var all sync.WaitGroup
			all.Go(s.killRedis)
			w.kill()
			s.killClickHouse(time.Second)
			err := w.start()
			all.Wait()
			return err
		}},
		{"SIGSTOP and SIGCONT of Redis", 1, func(s *sharing) error {
			s.moment(20*time.Millisecond, 300*time.Millisecond)
			s.redis.Pause()
			s.moment(100*time.Millisecond, 2*time.Second)
			s.redis.Resume()
			return nil
		}},
		{"replies of Redis late, lost, cut or damaged", 1, func(s *sharing) error {
			w := s.moment(20*time.Millisecond, 300*time.Millisecond)
			faults := []redistest.Fault{redistest.Cut, redistest.CutHalf, redistest.Delay, redistest.Swallow, redistest.Corrupt, redistest.Repeat}
			kind, every := faults[w.rng.IntN(len(faults))], 2+w.rng.IntN(20)
			s.proxy.Plan(func(reply int) redistest.Fault {
				if reply%every == 0 {
					return kind
				}
				return redistest.None
			})
			w.wait(w.between(300*time.Millisecond, 1500*time.Millisecond))
			s.proxy.Plan(nil)
			return nil
		}},
	}
}

func (s *sharing) killRedis() {
	s.kills++
	s.redis.Kill()
	w := s.nodes[0]
	w.wait(300 * time.Millisecond)
	s.redis.Restart()
}

// moment waits a random time under load, and returns one of the nodes.
func (s *sharing) moment(low, high time.Duration) *world {
	w := s.any()
	w.wait(w.between(low, high))
	return w
}
