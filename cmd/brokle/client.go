package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"

	"github.com/urfave/cli/v3"

	"github.com/brokle-ai/brokle-go"
)

// env is the environment variable of a flag: BROKLE_, the command where the
// flag is the command's own, and the flag.
func env(parts ...string) cli.ValueSourceChain {
	name := "BROKLE_" + strings.ToUpper(strings.ReplaceAll(strings.Join(parts, "_"), "-", "_"))
	return cli.EnvVars(name)
}

// clientFlags are those of every command that talks to a server.
func clientFlags() []cli.Flag {
	return []cli.Flag{
		&cli.StringFlag{
			Name: "host", Sources: env("host"), Value: brokle.DefaultHost,
			Usage: "the server's base URL",
		},
		&cli.StringFlag{
			Name: "api-key", Sources: env("api-key"),
			Usage: "the key, bk_…; better kept in the environment than typed",
		},
		&cli.StringFlag{
			Name: "ca-cert", Sources: env("ca-cert"),
			Usage: "PEM file of certificates that sign the server's, beside those of the system",
		},
	}
}

func jsonFlag(command string) cli.Flag {
	return &cli.BoolFlag{Name: "json", Sources: env(command, "json"), Usage: "print JSON, for programs"}
}

// newClient makes the SDK's client from clientFlags.
func newClient(c *cli.Command) (*brokle.Client, error) {
	if c.String("api-key") == "" {
		return nil, &hintError{errors.New("no API key"), "pass --api-key or set BROKLE_API_KEY; `brokle keys create` makes one"}
	}
	httpClient, err := httpClientOf(c)
	if err != nil {
		return nil, err
	}
	client, err := brokle.New(brokle.Config{APIKey: c.String("api-key"), Host: c.String("host"), HTTPClient: httpClient})
	if err != nil {
		return nil, err
	}
	if client.Err() != nil {
		return nil, &hintError{client.Err(), "BROKLE_TELEMETRY_ENABLED turns the client off; unset it"}
	}
	return client, nil
}

// httpClientOf trusts the certificates of --ca-cert too; without it the client is nil,
// which is that of the SDK.
func httpClientOf(c *cli.Command) (*http.Client, error) {
	name := c.String("ca-cert")
	if name == "" {
		return nil, nil
	}
	pem, err := os.ReadFile(name)
	if err != nil {
		return nil, &hintError{fmt.Errorf("read the CA certificates: %w", err), "--ca-cert, BROKLE_CA_CERT names a PEM file"}
	}
	pool, err := x509.SystemCertPool()
	if err != nil { // a machine without any
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, &hintError{fmt.Errorf("%s holds no certificate", name), "--ca-cert, BROKLE_CA_CERT names a PEM file"}
	}
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.MaxIdleConnsPerHost = 16 // more than the SDK has senders
	transport.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: pool}
	return &http.Client{Transport: transport}, nil
}

// explain adds a hint to an error of the client where there is one.
func explain(err error, c *cli.Command) error {
	var re *brokle.RequestError
	if !errors.As(err, &re) {
		return err
	}
	switch re.StatusCode {
	case 0:
		var untrusted *tls.CertificateVerificationError
		if errors.As(re.Err, &untrusted) {
			return &hintError{fmt.Errorf("%s shows a certificate that is not trusted: %w", c.String("host"), untrusted.Err),
				"--ca-cert or BROKLE_CA_CERT names the PEM file of who signed it, or of the certificate itself"}
		}
		return &hintError{fmt.Errorf("cannot reach %s: %w", c.String("host"), re.Err),
			"is the server running (`brokle serve`), and is --host or BROKLE_HOST its address?"}
	case http.StatusUnauthorized:
		return &hintError{errors.New(re.Message), "check --api-key or BROKLE_API_KEY; `brokle keys list` shows the keys of a data directory"}
	case http.StatusForbidden:
		return &hintError{errors.New(re.Message), "`brokle keys create --scope …` makes a key with other scopes"}
	}
	return fmt.Errorf("the server answered %d %s: %s", re.StatusCode, re.Code, re.Message)
}
