package auth

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"

	"github.com/golang-jwt/jwt/v5"
)

// Key is a public key that tokens may be signed with.
type Key struct {
	ID         string
	Algorithms []string // that it may verify; a token's own word is not taken for it
	Public     any      // *rsa.PublicKey, *ecdsa.PublicKey or ed25519.PublicKey
}

const (
	// maxKeys is how many keys of a set are looked at.
	maxKeys = 100
	// minRSA and maxRSA are the sizes of RSA keys that are taken, in bits.
	minRSA, maxRSA = 2048, 8192
)

// ParseKeys reads a JSON Web Key Set (RFC 7517, with RFC 7518 and RFC 8037): RSA keys, EC
// keys on P-256, P-384 and P-521, and Ed25519 keys. Keys of other kinds, and keys that
// are not for verifying signatures, are left out, as the RFC has it; a secret key in a
// public place is an error, and so is a set without a key that can be used.
func ParseKeys(set []byte) ([]Key, error) {
	var doc struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(set, &doc); err != nil {
		return nil, fmt.Errorf("not a JSON Web Key Set: %w", err)
	}
	if len(doc.Keys) > maxKeys {
		return nil, fmt.Errorf("a key set of %d keys; at most %d are taken", len(doc.Keys), maxKeys)
	}
	var keys []Key
	for _, raw := range doc.Keys {
		var k jwk
		if json.Unmarshal(raw, &k) != nil {
			continue // of a kind that is not known here
		}
		if k.Type == "oct" || k.D != "" {
			return nil, errors.New("the key set tells a secret key: nothing that it signs can be trusted")
		}
		if key, ok := k.public(); ok {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, errors.New("the key set has no key that verifies signatures")
	}
	return keys, nil
}

// jwk is one key as it is written.
type jwk struct {
	Type       string   `json:"kty"`
	Use        string   `json:"use"`
	Operations []string `json:"key_ops"`
	Algorithm  string   `json:"alg"`
	ID         string   `json:"kid"`
	Curve      string   `json:"crv"`
	N          string   `json:"n"`
	E          string   `json:"e"`
	X          string   `json:"x"`
	Y          string   `json:"y"`
	D          string   `json:"d"` // of a private key
}

func (k *jwk) public() (Key, bool) {
	if k.Use != "" && k.Use != "sig" || k.Operations != nil && !slices.Contains(k.Operations, "verify") {
		return Key{}, false
	}
	key := Key{ID: k.ID}
	switch k.Type {
	case "RSA":
		key.Public, key.Algorithms = k.rsa()
	case "EC":
		key.Public, key.Algorithms = k.ec()
	case "OKP":
		if x := number(k.X); k.Curve == "Ed25519" && len(x) == ed25519.PublicKeySize {
			key.Public, key.Algorithms = ed25519.PublicKey(x), []string{"EdDSA"}
		}
	}
	if k.Algorithm != "" {
		if !slices.Contains(key.Algorithms, k.Algorithm) {
			return Key{}, false
		}
		key.Algorithms = []string{k.Algorithm}
	}
	return key, len(key.Algorithms) > 0
}

func (k *jwk) rsa() (any, []string) {
	n, e := new(big.Int).SetBytes(number(k.N)), new(big.Int).SetBytes(number(k.E))
	if n.BitLen() < minRSA || n.BitLen() > maxRSA || e.BitLen() > 31 || e.Int64() < 3 || e.Bit(0) == 0 {
		return nil, nil
	}
	return &rsa.PublicKey{N: n, E: int(e.Int64())}, []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
}

func (k *jwk) ec() (any, []string) {
	curve, algorithm := elliptic.Curve(nil), ""
	switch k.Curve {
	case "P-256":
		curve, algorithm = elliptic.P256(), "ES256"
	case "P-384":
		curve, algorithm = elliptic.P384(), "ES384"
	case "P-521":
		curve, algorithm = elliptic.P521(), "ES512"
	default:
		return nil, nil
	}
	size := (curve.Params().BitSize + 7) / 8
	x, y := number(k.X), number(k.Y)
	if len(x) != size || len(y) != size {
		return nil, nil
	}
	point := append(append([]byte{4}, x...), y...)
	key, err := ecdsa.ParseUncompressedPublicKey(curve, point) // it has to be on the curve
	if err != nil {
		return nil, nil
	}
	return key, []string{algorithm}
}

func number(text string) []byte {
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		return nil
	}
	return b
}

// asymmetric are the algorithms of keys in a set.
func asymmetric() []string {
	return []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}
}

// signedByKeys says whether a token's header names one of those algorithms.
func signedByKeys(token string) bool {
	header, _, _ := strings.Cut(token, ".")
	var h struct {
		Alg string `json:"alg"`
	}
	return json.Unmarshal(number(header), &h) == nil && slices.Contains(asymmetric(), h.Alg)
}

// keyOf finds the keys that may have signed a token: the one it names, or the only one.
func (v *Verifier) keyOf(t *jwt.Token) (any, error) {
	if _, ok := t.Header["crit"]; ok {
		return nil, errors.New("a critical extension")
	}
	id, _ := t.Header["kid"].(string)
	keys, err := v.cfg.Keys(id)
	if err != nil {
		return nil, err
	}
	var set jwt.VerificationKeySet
	for _, k := range keys {
		if slices.Contains(k.Algorithms, t.Method.Alg()) && (k.ID == id || id == "") {
			set.Keys = append(set.Keys, k.Public)
		}
	}
	if len(set.Keys) == 0 || id == "" && len(keys) > 1 {
		return nil, errors.New("no key of the set is the token's")
	}
	return set, nil
}
