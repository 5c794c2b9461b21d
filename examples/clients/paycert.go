// Asks paycert's sidecar, the same way for every platform. Go 1.21, standard library only: put it beside your program.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"time"
)

// Request is what authorize takes. Each platform takes its own members, and refuses the others by name.
type Request struct {
	Method          string            `json:"method,omitempty"`
	URL             string            `json:"url,omitempty"`
	Headers         map[string]string `json:"headers,omitempty"`
	Body            string            `json:"body,omitempty"`
	APIMethod       string            `json:"apiMethod,omitempty"`
	BizContent      string            `json:"bizContent,omitempty"`
	Parameters      map[string]string `json:"parameters,omitempty"`
	AppAuthToken    string            `json:"appAuthToken,omitempty"`
	EncryptionKeyID string            `json:"encryptionKeyId,omitempty"`
	BodyBase64      []byte            `json:"bodyBase64,omitempty"` // in place of Body, for bytes that are no text
}

// Response is what a platform answered, as verify takes it.
type Response struct {
	Kind      string            `json:"kind"`
	Method    string            `json:"method"`
	URL       string            `json:"url"`
	APIMethod string            `json:"apiMethod,omitempty"`
	Status    int               `json:"status"`
	Headers   map[string]string `json:"headers"`
	Body      []byte            `json:"bodyBase64"` // a []byte becomes base64 in JSON
}

// Problem is anything but a 200. Status 422 means no, 503 means later. Title is one of docs/errors.md, Hint says what to do.
type Problem struct {
	Title, Detail, Hint string
	Status              int
}

func (p Problem) Error() string { return p.Title + ": " + p.Detail + " (" + p.Hint + ")" }

var sidecar = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{
	DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		path, isSet := os.LookupEnv("PAYCERT_SOCKET")
		if !isSet {
			path = "/run/paycert/paycert.sock"
		}
		return new(net.Dialer).DialContext(ctx, "unix", path)
	},
}}

// A signature is good for one address: no redirect is followed.
var platforms = &http.Client{Timeout: 10 * time.Second, CheckRedirect: func(*http.Request, []*http.Request) error {
	return http.ErrUseLastResponse
}}

// Ask puts what paycert answers into result. It fails with a Problem unless that is a 200.
func Ask(credential, operation string, question, result any) error {
	asked, err := json.Marshal(question)
	if err != nil {
		return err
	}
	address := "http://paycert/v1/credentials/" + credential + "/" + operation
	answer, err := sidecar.Post(address, "application/json", bytes.NewReader(asked))
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		var problem Problem
		if err := json.NewDecoder(answer.Body).Decode(&problem); err != nil {
			return err
		}
		return fmt.Errorf("%s: %w", operation, problem)
	}
	return json.NewDecoder(answer.Body).Decode(result)
}

// Send has the request signed, sends exactly what was signed, and returns the response as Verify takes it.
func Send(credential string, request Request) (Response, error) {
	var signed Request
	if err := Ask(credential, "authorize", request, &signed); err != nil {
		return Response{}, err
	}
	if signed.Body == "" && signed.BodyBase64 == nil {
		// paycert returns it where another one was signed than was given.
		signed.Body, signed.BodyBase64 = request.Body, request.BodyBase64
	}
	outgoing, err := prepare(signed)
	if err != nil {
		return Response{}, err
	}
	incoming, err := platforms.Do(outgoing)
	if err != nil {
		return Response{}, err
	}
	defer incoming.Body.Close()
	body, err := io.ReadAll(incoming.Body)
	headers := map[string]string{}
	for name := range incoming.Header {
		headers[name] = incoming.Header.Get(name)
	}
	return Response{"response", signed.Method, signed.URL, request.APIMethod, incoming.StatusCode, headers, body}, err
}

// prepare keeps the address as it was signed: net/url would escape some characters, and the signature be over others.
func prepare(signed Request) (*http.Request, error) {
	scheme, rest, _ := strings.Cut(signed.URL, "://")
	host, target := rest, "/"
	if at := strings.IndexAny(rest, "/?"); at >= 0 {
		host, target = rest[:at], rest[at:]
	}
	if target[0] == '?' {
		target = "/" + target
	}
	if strings.HasPrefix(target, "//") {
		return nil, fmt.Errorf("a path that begins with // cannot be sent as it was signed")
	}
	content := signed.BodyBase64
	if content == nil {
		content = []byte(signed.Body)
	}
	outgoing, err := http.NewRequest(signed.Method, scheme+"://"+host, bytes.NewReader(content))
	if err != nil {
		return nil, err
	}
	outgoing.URL.Opaque = target
	for name, value := range signed.Headers {
		outgoing.Header.Set(name, value)
	}
	return outgoing, nil
}

// Verify fails unless the platform has signed the response.
func Verify(credential string, response Response) error {
	return Ask(credential, "verify", response, &struct{}{})
}
