package redisclaim

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"
	"github.com/redis/go-redis/v9/maintnotifications"
)

// newClient connects nothing yet. RESP2: the answers are plain strings, and
// the newer protocol lets the server speak unasked. One further try covers a connection that
// was closed while it was idle; every script may be run twice.
func newClient(a Address, timeout time.Duration) redis.UniversalClient {
	o := &redis.UniversalOptions{
		Addrs: a.Hosts, MasterName: a.Master, SentinelUsername: a.SentinelUsername, SentinelPassword: a.SentinelPassword,
		DB: a.DB, Username: a.Username, Password: a.Password, TLSConfig: a.TLS,
		Protocol: 2, MaxRetries: 1, MaxRedirects: 3, DisableIdentity: true,
		DialTimeout: timeout, ReadTimeout: timeout, WriteTimeout: timeout, ContextTimeoutEnabled: true,
		DialerRetries: 1, PipelinePoolSize: -1,
		MaintNotificationsConfig: &maintnotifications.Config{Mode: maintnotifications.ModeDisabled},
	}
	switch {
	case a.Cluster:
		c := o.Cluster()
		c.DisableRoutingPolicies = true
		return redis.NewClusterClient(c)
	case a.Master != "":
		return redis.NewFailoverClient(o.Failover())
	}
	one := o.Simple()
	if a.Unix {
		one.Network = "unix"
	}
	return redis.NewClient(one)
}

// clientLog is where the client library writes: it has one log for the whole process.
type clientLog struct{ *slog.Logger }

func (l clientLog) Printf(ctx context.Context, format string, v ...any) {
	l.DebugContext(ctx, "redis client", "message", fmt.Sprintf(format, v...))
}
