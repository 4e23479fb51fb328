package alert

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"syscall"
	"time"
)

// errPrivate is that of addresses within the server's own network. Who may set alerts is no operator of the server: a request to there would be the
// server's, and could do what its sender could not.
var errPrivate = errors.New("it is an address of a private network or of this machine, where this server sends alerts only with --alert-private")

// special are addresses that are neither of the public network nor told by netip: RFC 6890 and what carries IPv4 within IPv6 (RFC 6052, 3056, 4380, 8215).
func special() []netip.Prefix {
	var all []netip.Prefix
	for _, p := range []string{
		"0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "240.0.0.0/4",
		"::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20", "5f00::/16", "fec0::/10",
	} {
		all = append(all, netip.MustParsePrefix(p))
	}
	return all
}

// public says whether an address is one of the public network.
func public(ip netip.Addr) bool {
	ip = ip.Unmap().WithZone("")
	if !ip.IsGlobalUnicast() || ip.IsPrivate() {
		return false
	}
	for _, p := range special() {
		if p.Contains(ip) {
			return false
		}
	}
	return true
}

// transportOf carries requests, unless private only to public addresses: it is the address that a connection is about to be made to that is looked at, so that
// no name can lead elsewhere. It asks no proxy, which would connect in its place.
func transportOf(private bool) *http.Transport {
	dialer := &net.Dialer{Timeout: requestTime, KeepAlive: 30 * time.Second}
	if !private {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || !public(to.Addr()) {
				return errPrivate
			}
			return nil
		}
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext, t.Proxy = dialer.DialContext, nil
	return t
}
