package conn

import (
	"bufio"
	"net"
	"strings"
	"time"

	"github.com/redis/rueidis"
)

// ofSentinel marks the dialer for sentinels: those that the configuration does
// not name, but other sentinels do, are dialled by it too.
var ofSentinel = new(net.Resolver)

func atSentinel(d *net.Dialer) bool { return d.Resolver == ofSentinel }

func (o Options) sentinel() rueidis.SentinelOption {
	return rueidis.SentinelOption{
		MasterSet: o.Sentinel, Username: o.SentinelUN, Password: o.SentinelPW, TLSConfig: o.TLS,
		Dialer: net.Dialer{Timeout: o.Timeout, KeepAlive: time.Second, Resolver: ofSentinel},
		// A missed +switch-master would leave us with the old master for ever.
		TopologyRefreshInterval: 5 * time.Second,
	}
}

// greetSentinel speaks the first words on a connection to a sentinel, which has
// passwords of its own and takes no writes.
func (f *fence) greetSentinel(c net.Conn, _ string) (peer, error) {
	return peer{}, login(c, bufio.NewReader(c), f.o.SentinelUN, f.o.SentinelPW)
}

// explain says what is wrong with an address where the reply alone does not.
func (o Options) explain(err error) error {
	if re, ok := rueidis.IsRedisErr(err); ok && o.Sentinel != "" && strings.Contains(re.Error(), "unknown command 'SENTINEL'") {
		return &Unfit{"there is a server of Redis, and no Sentinel"}
	}
	return err
}
