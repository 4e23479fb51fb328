package redisclaim

import (
	"context"
	"strings"

	"github.com/redis/go-redis/v9"
)

// checkServers warns of servers that are set to evict keys: to them a mark is
// one key among others. A server that may not be asked is not warned of.
func (c *Claimer) checkServers(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	if cluster, ok := c.client.(*redis.ClusterClient); ok {
		_ = cluster.ForEachMaster(ctx, func(ctx context.Context, server *redis.Client) error {
			c.checkServer(ctx, server, server.Options().Addr)
			return nil
		})
		return
	}
	c.checkServer(ctx, c.client, c.address.String())
}

func (c *Claimer) checkServer(ctx context.Context, server redis.Cmdable, name string) {
	info, err := server.Info(ctx, "memory").Result()
	if err != nil {
		c.o.Logger.Debug("cannot read redis memory settings", "redis", name, "error", err)
		return
	}
	policy := infoField(info, "maxmemory_policy")
	if policy == "" || policy == "noeviction" {
		return
	}
	limit := infoField(info, "maxmemory")
	now := "it has no maxmemory now, so nothing is evicted yet"
	if limit != "0" {
		now = "maxmemory is " + limit + " bytes"
	}
	c.o.Logger.Warn("redis is set to evict keys when its memory is full. An evicted bucket forgets ids before their ttl: "+
		"a retry that reaches another node is then stored a second time. Set maxmemory-policy noeviction: a full redis then "+
		"refuses, and each node deduplicates alone until there is room", "redis", name, "maxmemory-policy", policy, "now", now)
}

func infoField(info, name string) string {
	for line := range strings.Lines(info) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), ":"); ok && key == name {
			return value
		}
	}
	return ""
}
