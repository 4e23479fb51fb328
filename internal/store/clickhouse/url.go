package clickhouse

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/url"
	"os"
	"strconv"
	"strings"
)

// protocol is how servers are spoken to, by the scheme of a URL.
type protocol struct {
	http, secure     bool
	port, securePort string
}

var protocols = map[string]protocol{
	"clickhouse": {port: "9000", securePort: "9440"},
	"tcp":        {port: "9000", securePort: "9440"},
	"http":       {http: true, port: "8123"},
	"https":      {http: true, secure: true, securePort: "8443"},
}

// ParseURL reads where the tables are:
//
//	clickhouse://[user[:password]@]host[:port][,host[:port]…][;host…]/database[?secure=true][&ca=FILE][&skip_verify=true][&cluster=NAME]
//	http[s]://…
//
// Between commas are servers that hold the same data, between semicolons shards, which the servers know by the name of a cluster.
// clickhouse:// is the native protocol; port is 9000, with secure=true (TLS) 9440. http:// has port 8123, https:// 8443. ca is a file of the certificates (PEM) by which the servers' must be
// signed, instead of those that the machine trusts; skip_verify takes any certificate. What is special in a user, a password or a
// database is percent-encoded. Errors show no part of the text but the names of parameters and the scheme.
func ParseURL(text string) (Options, error) {
	var o Options
	scheme, rest, _ := strings.Cut(text, "://")
	speaks, known := protocols[scheme]
	if !known {
		return o, errors.New("must begin with clickhouse://, http:// or https://")
	}
	o.HTTP = speaks.http
	rest, parameters, _ := strings.Cut(rest, "?")
	authority, database, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		if err := o.account(authority[:at]); err != nil {
			return o, err
		}
		authority = authority[at+1:]
	}
	port, err := o.parameters(parameters, speaks)
	if err != nil {
		return o, err
	}
	for i, hosts := range strings.Split(authority, ";") {
		shard, err := addressesOf(hosts, port)
		if err != nil {
			return o, err
		}
		if i == 0 {
			o.Addresses = shard
		} else {
			o.Further = append(o.Further, shard)
		}
	}
	if several := len(o.Further) > 0; several != (o.Cluster != "") {
		return o, errors.New("several shards, with semicolons between them, need the parameter cluster, which is the name that the servers have for all of them; one has none")
	}
	if o.Database, err = url.PathUnescape(database); err != nil || strings.Contains(o.Database, "/") {
		return o, errors.New("the database is not one name, percent-encoded")
	}
	if o.Database == "" {
		return o, fmt.Errorf("must name a database: %s://user:password@host/database", scheme)
	}
	return o.withDefaults(), nil
}

// account reads user:password.
func (o *Options) account(text string) (err error) {
	user, password, _ := strings.Cut(text, ":")
	if o.User, err = url.PathUnescape(user); err == nil {
		o.Password, err = url.PathUnescape(password)
	}
	if err != nil {
		return errors.New("user and password are not percent-encoded")
	}
	return nil
}

// parameters reads what stands behind the question mark, and says which port a host has that names none.
func (o *Options) parameters(text string, speaks protocol) (port string, err error) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return "", errors.New("the parameters are not percent-encoded")
	}
	secure, skip, ca := speaks.secure, false, ""
	for name, all := range values {
		var to *bool
		switch name {
		case "secure":
			if speaks.http {
				return "", errors.New("the parameter secure is of clickhouse:// alone: https:// is HTTP with TLS")
			}
			to = &secure
		case "skip_verify":
			to = &skip
		case "ca":
			if ca = all[len(all)-1]; ca == "" {
				return "", errors.New("the parameter ca must name a file")
			}
			continue
		case "cluster":
			if o.Cluster = all[len(all)-1]; o.Cluster == "" {
				return "", errors.New("the parameter cluster must be a name")
			}
			continue
		default:
			return "", fmt.Errorf("there is no parameter %q; there are secure, ca, skip_verify and cluster", name)
		}
		if *to, err = strconv.ParseBool(all[len(all)-1]); err != nil {
			return "", fmt.Errorf("the parameter %s must be true or false", name)
		}
	}
	if !secure {
		if skip || ca != "" {
			return "", errors.New("skip_verify and ca are of no use without secure=true, or https://")
		}
		return speaks.port, nil
	}
	return speaks.securePort, o.trust(skip, ca)
}

// trust has connections made safe.
func (o *Options) trust(skip bool, ca string) (err error) {
	if skip && ca != "" {
		return errors.New("skip_verify and ca exclude one another")
	}
	o.TLS = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: skip} //nolint:gosec // who asks for it has a reason
	if ca != "" {
		o.TLS.RootCAs, err = certificates(ca)
	}
	return err
}

// certificates are those in a file.
func certificates(path string) (*x509.CertPool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		var of *fs.PathError
		if errors.As(err, &of) {
			err = of.Err // without the path
		}
		return nil, fmt.Errorf("the file of the parameter ca: %w", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, errors.New("the file of the parameter ca has no certificate (PEM)")
	}
	return pool, nil
}

// addressesOf are those of several hosts.
func addressesOf(hosts, port string) (addresses []string, err error) {
	for host := range strings.SplitSeq(hosts, ",") {
		address, err := addressOf(host, port)
		if err != nil {
			return nil, err
		}
		addresses = append(addresses, address)
	}
	return addresses, nil
}

// addressOf is host:port of a host that may name its port.
func addressOf(host, port string) (string, error) {
	wrong := errors.New("hosts must be HOST or HOST:PORT, several with commas between them")
	name := host
	if bare, ok := strings.CutPrefix(host, "["); ok && strings.HasSuffix(host, "]") { // IPv6 without a port
		name = strings.TrimSuffix(bare, "]")
	} else if strings.Contains(host, ":") {
		var err error
		if name, port, err = net.SplitHostPort(host); err != nil {
			return "", wrong
		}
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || name == "" || strings.ContainsAny(name, " /?#[]@;") {
		return "", wrong
	}
	return net.JoinHostPort(name, port), nil
}
