#!/usr/bin/env bash
# Builds Traefik from its Go module, which is all a package registry has of it. Usage: build-traefik.sh VERSION FOLDER
set -euo pipefail

version=$1
home=$2
build=$home.build
trap 'rm -rf "$build"' EXIT

module_folder() { go mod download -json "$1" | sed -n 's/^\t"Dir": "\(.*\)",\?$/\1/p'; }

# A module copied out of the cache, which is read-only.
unpack() {
  mkdir -p "$2"
  cp -r "$(module_folder "$1")/." "$2"
  chmod -R u+w "$2"
}

rm -rf "$build"
mkdir -p "$(dirname "$home")"
unpack "github.com/traefik/traefik/v3@v$version" "$build"
cd "$build"

# The extension points of its configuration are a module inside of the module, so the archive leaves them out. Empty here.
mkdir -p pkg/config/dynamic/ext
printf 'module github.com/traefik/traefik/dynamic/ext\n\ngo 1.22\n' >pkg/config/dynamic/ext/go.mod
printf 'package ext\n\ntype HTTP struct{}\n\ntype Router struct{}\n' >pkg/config/dynamic/ext/ext.go

# Certificates by DNS pull in the client libraries of two hundred providers, some no longer served. Built without.
lego=github.com/go-acme/lego/v5
unpack "$lego@$(go list -mod=mod -m -f '{{.Version}}' "$lego")" lego
rm -rf lego/providers/dns
mkdir -p lego/providers/dns
cat >lego/providers/dns/dns.go <<'GO'
package dns

import (
	"errors"

	"github.com/go-acme/lego/v5/challenge"
)

func NewDNSChallengeProviderByName(name string) (challenge.Provider, error) {
	return nil, errors.New("built without DNS providers: " + name)
}
GO

# Its fork of this one is not served either. The original lacks two functions; with these, basic authentication refuses all.
auth=github.com/abbot/go-http-auth
unpack "$auth@v0.4.0" http-auth
printf 'module %s\n\ngo 1.22\n' "$auth" >http-auth/go.mod
cat >http-auth/more.go <<'GO'
package auth

import "net/http"

func CheckSecret(password, secret string) bool { return false }

func (a *DigestAuth) RequireAuthStale(w http.ResponseWriter, r *http.Request) { a.RequireAuth(w, r) }
GO

go mod edit -replace "$lego=./lego" -replace "$auth=./http-auth"
go build -mod=mod -trimpath -ldflags "-s -w -X github.com/traefik/traefik/v3/pkg/version.Version=$version" \
  -o "$build/traefik" ./cmd/traefik
mkdir -p "$home"
mv "$build/traefik" "$home/traefik"
