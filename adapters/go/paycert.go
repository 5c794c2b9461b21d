// Package adapters puts payment SDKs on top of a paycert sidecar: they sign, verify and open without a key.
package adapters

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"
)

// Refused is anything but a 200. Status 422 means no, 503 means later. Title is one of docs/errors.md, Hint says what to do.
type Refused struct {
	Title, Detail, Hint string
	Status              int
}

func (r Refused) Error() string { return r.Title + ": " + r.Detail + " (" + r.Hint + ")" }

// Paycert is one credential of a sidecar. It is safe for concurrent use.
type Paycert struct {
	credential string
	client     *http.Client
}

// New asks the sidecar at the socket that PAYCERT_SOCKET names, or at /run/paycert/paycert.sock.
func New(credential string) *Paycert {
	path, isSet := os.LookupEnv("PAYCERT_SOCKET")
	if !isSet {
		path = "/run/paycert/paycert.sock"
	}
	return At(path, credential)
}

// At asks the sidecar at that socket.
func At(socket, credential string) *Paycert {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, "unix", socket)
	}
	return &Paycert{credential, &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{DialContext: dial}}}
}

// Ask puts what the local API (docs/api.md) answers into result. It fails with a Refused unless that is a 200.
func (p *Paycert) Ask(ctx context.Context, operation string, question, result any) error {
	asked, err := json.Marshal(question)
	if err != nil {
		return err
	}
	address := "http://paycert/v1/credentials/" + p.credential + "/" + operation
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, address, bytes.NewReader(asked))
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := p.client.Do(request)
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		var refused Refused
		if err := json.NewDecoder(answer.Body).Decode(&refused); err != nil {
			return err
		}
		return fmt.Errorf("%s: %w", operation, refused)
	}
	return json.NewDecoder(answer.Body).Decode(result)
}

// Opened is a notification that the platform has signed.
type Opened struct {
	ID        string          `json:"id"`
	EventType string          `json:"eventType"`
	Resource  json.RawMessage `json:"resource"`
}

// Notification verifies and opens what the platform posted. The body is the raw one, before anything parses it.
func (p *Paycert) Notification(ctx context.Context, header http.Header, body []byte) (Opened, error) {
	headers := map[string]string{}
	for name := range header {
		headers[name] = header.Get(name)
	}
	var opened Opened
	err := p.Ask(ctx, "notification", map[string]any{"headers": headers, "bodyBase64": body}, &opened)
	return opened, err
}
