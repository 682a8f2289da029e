package testkit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
)

// HTTP calls methods by POST. Its methods may be called concurrently once Token is set.
type HTTP struct {
	Server *Server
	Token  string // the bearer token or server key; empty: none is sent
	User   string // the user that a server key acts for; empty: none is named
}

// Problem is an error answer over HTTP.
type Problem struct {
	Status int
	Fields map[string]any
}

func (p *Problem) Error() string { return fmt.Sprintf("status %d: %v", p.Status, p.Fields) }

// Call posts params and decodes the answer into result. Error answers are *Problem.
func (h *HTTP) Call(method string, params, result any) error {
	body, err := json.Marshal(params)
	if err != nil {
		return err
	}
	answer, err := h.Post(method, body)
	if err != nil || result == nil {
		return err
	}
	return json.Unmarshal(answer, result)
}

// Post posts a body and answers the answer's.
func (h *HTTP) Post(method string, body []byte) ([]byte, error) {
	req, err := http.NewRequest(http.MethodPost, h.Server.URL("/v1/"+method), bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if h.Token != "" {
		req.Header.Set("Authorization", "Bearer "+h.Token)
	}
	if h.User != "" {
		req.Header.Set("Linnet-User", url.PathEscape(h.User))
	}
	client := &http.Client{Timeout: Patience}
	resp, err := client.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxFrame))
	if err != nil {
		return nil, err
	}
	if resp.StatusCode == http.StatusOK {
		return answer, nil
	}
	p := &Problem{Status: resp.StatusCode}
	if got := resp.Header.Get("Content-Type"); got != "application/problem+json" {
		return nil, fmt.Errorf("%s: status %d with content type %q: %s", method, p.Status, got, answer)
	}
	if err := json.Unmarshal(answer, &p.Fields); err != nil {
		return nil, fmt.Errorf("%s: problem %q: %w", method, answer, err)
	}
	return nil, p
}
