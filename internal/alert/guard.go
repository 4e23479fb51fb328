package alert

import "errors"

// errPrivate is that of addresses within the server's own network (package egress).
var errPrivate = errors.New("it is an address of a private network or of this machine, where this server sends alerts only with --alert-private")
