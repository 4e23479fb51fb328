package redisclaim

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Address is a Redis as its URL names it.
type Address struct {
	Hosts    []string // host:port; of the Sentinels when Master is set; of a unix socket its path
	Unix     bool
	Cluster  bool
	Master   string // the name that the Sentinels know; "" without Sentinel
	DB       int
	Username string
	Password string
	// SentinelUsername and SentinelPassword are for the Sentinels themselves.
	SentinelUsername string
	SentinelPassword string
	TLS              *tls.Config // nil: plain
}

// ParseURL reads the forms
//
//	redis://[user:password@]host[:6379][/db]
//	rediss://…                        the same over TLS (1.2 or newer)
//	unix:///path/to/socket[?db=n]
//	redis://host,host,host            a Cluster; for one host: ?cluster=true
//	redis-sentinel://[user:password@]host[:26379],host/master[/db]
//	redis://host[:26379],host[/db]?master=name    the same
//
// Further parameters: db, sentinel_username, sentinel_password, and
// skip_verify=true (TLS without checking the certificate). The errors never hold
// the URL, because it may hold a password.
func ParseURL(s string) (Address, error) {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return Address{}, errors.New("redis URL: must begin with redis://, rediss://, unix:// or redis-sentinel://")
	}
	// net/url takes one host only: it gets the rest of the URL without them.
	authority, tail := rest, ""
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		authority, tail = rest[:i], rest[i:]
	}
	hosts, userinfo := authority, ""
	if i := strings.LastIndexByte(authority, '@'); i >= 0 {
		hosts, userinfo = authority[i+1:], authority[:i+1]
	}
	u, err := url.Parse("redis://" + userinfo + "host" + tail)
	if err != nil || u.Fragment != "" {
		return Address{}, errors.New("redis URL: cannot be read; special characters in a name or password must be percent-encoded")
	}
	a := Address{Username: u.User.Username()}
	a.Password, _ = u.User.Password()
	return a, a.read(scheme, hosts, u)
}

func (a *Address) read(scheme, hosts string, u *url.URL) error {
	q := u.Query()
	path := strings.Split(strings.Trim(u.Path, "/"), "/")
	db := path[0]
	switch scheme {
	case "unix":
		if hosts != "" || len(u.Path) < 2 {
			return errors.New("redis URL: unix:// needs a path, as in unix:///run/redis.sock")
		}
		a.Unix, a.Hosts, path, db = true, []string{u.Path}, nil, ""
	case "redis-sentinel", "rediss-sentinel":
		if a.Master = path[0]; a.Master == "" {
			return errors.New("redis URL: redis-sentinel:// needs the master's name after the hosts")
		}
		path, db = path[1:], ""
		if len(path) > 0 {
			db = path[0]
		}
	case "redis", "rediss":
	default:
		return fmt.Errorf("redis URL: unknown scheme %q", scheme)
	}
	if len(path) > 1 {
		return errors.New("redis URL: the path has too many parts")
	}
	if strings.HasPrefix(scheme, "rediss") {
		a.TLS = &tls.Config{MinVersion: tls.VersionTLS12}
	}
	if err := a.parameters(q, &db); err != nil {
		return err
	}
	if !a.Unix {
		if err := a.hosts(hosts); err != nil {
			return err
		}
	}
	a.Cluster = a.Cluster || len(a.Hosts) > 1 && a.Master == ""
	if db != "" {
		n, err := strconv.Atoi(db)
		if err != nil || n < 0 {
			return errors.New("redis URL: the database must be a number")
		}
		a.DB = n
	}
	if a.Cluster && (a.DB != 0 || a.Unix || a.Master != "") {
		return errors.New("redis URL: a cluster has no database number, unix socket or master")
	}
	return nil
}

func (a *Address) parameters(q url.Values, db *string) error {
	for name, values := range q {
		value := values[len(values)-1]
		switch name {
		case "db":
			*db = value
		case "master":
			a.Master = value
		case "sentinel_username":
			a.SentinelUsername = value
		case "sentinel_password":
			a.SentinelPassword = value
		case "cluster", "skip_verify":
			on, err := strconv.ParseBool(value)
			if err != nil {
				return fmt.Errorf("redis URL: %s must be true or false", name)
			}
			if name == "cluster" {
				a.Cluster = on
			} else if a.TLS != nil {
				a.TLS.InsecureSkipVerify = on // what the operator asked for, by name
			}
		default:
			return fmt.Errorf("redis URL: unknown parameter %q", name)
		}
	}
	return nil
}

func (a *Address) hosts(list string) error {
	port := "6379"
	if a.Master != "" {
		port = "26379"
	}
	for h := range strings.SplitSeq(list, ",") {
		if h == "" {
			return errors.New("redis URL: a host is missing")
		}
		u, err := url.Parse("redis://" + h)
		if err != nil || u.Hostname() == "" || u.Host != h {
			return errors.New("redis URL: a host cannot be read")
		}
		if strings.Count(h, ":") > 1 && h[0] != '[' {
			return errors.New("redis URL: a host has more than one port; an IPv6 address stands in brackets")
		}
		p := u.Port()
		if p == "" {
			p = port
		}
		a.Hosts = append(a.Hosts, net.JoinHostPort(u.Hostname(), p))
	}
	slices.Sort(a.Hosts)
	a.Hosts = slices.Compact(a.Hosts)
	if a.TLS != nil {
		first, _, _ := net.SplitHostPort(a.Hosts[0])
		a.TLS.ServerName = first
		if len(a.Hosts) > 1 || a.Master != "" || a.Cluster {
			a.TLS.ServerName = "" // each connection checks the host it was made to
		}
	}
	return nil
}

// String is the address without its secrets.
func (a Address) String() string {
	kind := "redis"
	switch {
	case a.Unix:
		kind = "redis at"
	case a.Cluster:
		kind = "redis cluster"
	case a.Master != "":
		kind = "redis master " + a.Master + " of sentinels"
	}
	return kind + " " + strings.Join(a.Hosts, ",")
}
