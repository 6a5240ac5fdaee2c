package faultproxy

import "net"

// Strand makes the open connections end for their clients, while what those
// have sent and the server has not yet received stays under way until deliver
// is called: the bytes of a connection that its client has given up, with
// newer connections overtaking them. Call it with the direction [Up] frozen
// or delayed, and take that fault back afterwards.
func (p *Proxy) Strand() (deliver func()) {
	ls := p.open()
	p.change(func() {
		for _, l := range ls {
			l.stranded = true
		}
	})
	for _, l := range ls {
		if tcp, ok := l.ends[Up].(*net.TCPConn); ok {
			_ = tcp.CloseWrite()
		}
	}
	return func() {
		p.change(func() {
			for _, l := range ls {
				l.stranded = false
			}
		})
	}
}
