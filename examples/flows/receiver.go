// Receives what the platforms post, and answers each as it wants to be answered: PORT=8080 go run paycert.go receiver.go DIRECTORY
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
)

type platform struct {
	credential string
	status     int // of a success
	success    string
	failure    string
}

const xml = "<xml><return_code>%s</return_code></xml>"

var senders = map[string]platform{
	"/wechatpay":    {"wechat-main", 204, "", `{"code":"FAIL"}`},
	"/wechatpay-v2": {"wechat-v2", 200, fmt.Sprintf(xml, "SUCCESS"), fmt.Sprintf(xml, "FAIL")},
	"/alipay":       {"alipay-main", 200, "success", "fail"},
}

// Notification is what paycert has verified and opened.
type Notification struct {
	ID        string          `json:"id"`
	EventType string          `json:"eventType"`
	Resource  json.RawMessage `json:"resource"`
}

// store is yours: act once for each id, and only then return. Here a file is the order book.
func store(notification Notification) error {
	content, err := json.Marshal(notification)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(os.Args[1], url.PathEscape(notification.ID)+".json"), content, 0o600)
}

var isForged = regexp.MustCompile("^(signature|timestamp|message)-").MatchString

// receive returns 401: it is forged. 500: it may be genuine, and the fault is here. 503: paycert is not ready.
// All three make the platform send it again.
func receive(credential string, request *http.Request, raw []byte) int {
	headers := map[string]string{}
	for name := range request.Header {
		headers[name] = request.Header.Get(name)
	}
	var notification Notification
	question := map[string]any{"headers": headers, "bodyBase64": raw}
	if err := Ask(credential, "notification", question, &notification); err != nil {
		log.Print(err)
		var problem Problem
		switch {
		case !errors.As(err, &problem) || problem.Status >= 500:
			return http.StatusServiceUnavailable
		case isForged(problem.Title):
			return http.StatusUnauthorized
		default:
			return http.StatusInternalServerError
		}
	}
	if err := store(notification); err != nil {
		log.Print(err)
		return http.StatusInternalServerError
	}
	return http.StatusOK
}

func handle(response http.ResponseWriter, request *http.Request) {
	platform, isKnown := senders[request.URL.Path]
	if !isKnown {
		http.NotFound(response, request)
		return
	}
	// The bytes as they came: parsed and written again they would not verify.
	raw, err := io.ReadAll(http.MaxBytesReader(response, request.Body, 1<<19))
	status, text := http.StatusRequestEntityTooLarge, platform.failure
	if err == nil {
		status = receive(platform.credential, request, raw)
	}
	if status == http.StatusOK {
		status, text = platform.status, platform.success
	}
	response.WriteHeader(status)
	io.WriteString(response, text)
}

func main() {
	listener, err := net.Listen("tcp", ":"+os.Getenv("PORT"))
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr())
	log.Fatal(http.Serve(listener, http.HandlerFunc(handle)))
}
