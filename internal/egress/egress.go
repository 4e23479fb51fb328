// Package egress carries requests that people of a project have the server send: alerts to webhooks, traces to judges. Who may say where these go is no
// operator of the server; a request within its own network would be the server's, and could do what its sender could not. So they go to the
// public network alone, unless the operator says otherwise.
package egress

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"syscall"
	"time"
)

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

// Public says whether an address is one of the public network.
func Public(ip netip.Addr) bool {
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

// Local says whether an address is within the server's own network, as far as it tells by itself: a name may lead there, too.
func Local(u *url.URL) bool {
	host := strings.TrimSuffix(strings.ToLower(u.Hostname()), ".")
	ip, notIP := netip.ParseAddr(host)
	return host == "localhost" || strings.HasSuffix(host, ".localhost") || notIP == nil && !Public(ip)
}

// Transport carries requests, unless private only to public addresses, else the error is refused: it is the address that a connection is about to be made to that is looked
// at, so that no name can lead elsewhere. It asks no proxy, which would connect in its place. A connection is made within dial.
func Transport(private bool, refused error, dial time.Duration) *http.Transport {
	dialer := &net.Dialer{Timeout: dial, KeepAlive: 30 * time.Second}
	if !private {
		dialer.Control = func(_, address string, _ syscall.RawConn) error {
			to, err := netip.ParseAddrPort(address)
			if err != nil || !Public(to.Addr()) {
				return refused
			}
			return nil
		}
	}
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext, t.Proxy = dialer.DialContext, nil
	return t
}
