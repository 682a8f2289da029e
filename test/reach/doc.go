// Package reach tests how a server is reached by others than its own machine: TLS on the
// one port with certificates of one's own and of an authority, proxies before it (haproxy
// and nginx), a back end whose keys it asks for. All of it on loopback.
package reach
