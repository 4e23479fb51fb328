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

// The ports of the native protocol, without and with TLS.
const (
	plainPort  = "9000"
	securePort = "9440"
)

// ParseURL reads where the tables are:
//
//	clickhouse://[user[:password]@]host[:port][,host[:port]…]/database[?secure=true][&ca=FILE][&skip_verify=true]
//
// It is the native protocol; port is 9000, with secure=true (TLS) 9440. ca is a file of the certificates (PEM) by which the servers' must be signed, instead of those that
// the machine trusts; skip_verify takes any certificate. What is special in a user, a password or a
// database is percent-encoded. Errors show no part of the text but the names of parameters and the scheme.
func ParseURL(text string) (Options, error) {
	var o Options
	scheme, rest, found := strings.Cut(text, "://")
	switch {
	case !found:
		return o, errors.New("must begin with clickhouse://")
	case scheme == "http" || scheme == "https":
		return o, errors.New("must begin with clickhouse://, which is the native protocol (port 9000, with secure=true 9440); over HTTP nothing is sent")
	case scheme != "clickhouse" && scheme != "tcp":
		return o, errors.New("must begin with clickhouse://")
	}
	rest, parameters, _ := strings.Cut(rest, "?")
	authority, database, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(authority, '@'); at >= 0 {
		if err := o.account(authority[:at]); err != nil {
			return o, err
		}
		authority = authority[at+1:]
	}
	port, err := o.parameters(parameters)
	if err != nil {
		return o, err
	}
	for host := range strings.SplitSeq(authority, ",") {
		address, err := addressOf(host, port)
		if err != nil {
			return o, err
		}
		o.Addresses = append(o.Addresses, address)
	}
	if o.Database, err = url.PathUnescape(database); err != nil || strings.Contains(o.Database, "/") {
		return o, errors.New("the database is not one name, percent-encoded")
	}
	if o.Database == "" {
		return o, errors.New("must name a database: clickhouse://user:password@host:9000/database")
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
func (o *Options) parameters(text string) (port string, err error) {
	values, err := url.ParseQuery(text)
	if err != nil {
		return "", errors.New("the parameters are not percent-encoded")
	}
	secure, skip, ca := false, false, ""
	for name, all := range values {
		var to *bool
		switch name {
		case "secure":
			to = &secure
		case "skip_verify":
			to = &skip
		case "ca":
			if ca = all[len(all)-1]; ca == "" {
				return "", errors.New("the parameter ca must name a file")
			}
			continue
		default:
			return "", fmt.Errorf("there is no parameter %q; there are secure, ca and skip_verify", name)
		}
		if *to, err = strconv.ParseBool(all[len(all)-1]); err != nil {
			return "", fmt.Errorf("the parameter %s must be true or false", name)
		}
	}
	if !secure {
		if skip || ca != "" {
			return "", errors.New("skip_verify and ca are of no use without secure=true")
		}
		return plainPort, nil
	}
	if skip && ca != "" {
		return "", errors.New("skip_verify and ca exclude one another")
	}
	o.TLS = &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: skip} //nolint:gosec // who asks for it has a reason
	if ca != "" {
		if o.TLS.RootCAs, err = certificates(ca); err != nil {
			return "", err
		}
	}
	return securePort, nil
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
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || name == "" || strings.ContainsAny(name, " /?#[]@") {
		return "", wrong
	}
	return net.JoinHostPort(name, port), nil
}
