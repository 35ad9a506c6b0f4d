#!/bin/sh
# Builds the gateway $1 (traefik or skipper) into the folder $2, and puts the definitions of its kinds beside it (`$1.yaml`).
set -eu
name=$1
to=$(mkdir -p "$2" && cd "$2" && pwd)
cd "$(dirname "$0")/$name"
# A module has no folder before it is downloaded.
go mod download
case $name in
traefik)
	program=github.com/traefik/traefik/v3
	definitions="$(go list -m -f '{{.Dir}}' sigs.k8s.io/gateway-api)/config/crd/standard
		$(go list -m -f '{{.Dir}}' $program)/docs/content/reference/dynamic-configuration/kubernetes-crd-definition-v1.yml"
	;;
skipper)
	program=github.com/zalando/skipper
	definitions=$(go list -m -f '{{.Dir}}' $program)/dataclients/kubernetes/deploy/apply/routegroups_crd.yaml
	;;
*)
	echo "there is no gateway $name" >&2
	exit 1
	;;
esac
go build -trimpath -buildvcs=false -ldflags "-s -w" -o "$to/$name.new" "$program/cmd/$name"
# Each file begins with `---`, or gets it: a file of several documents.
find $definitions -name '*.y*ml' -exec sh -c 'for file; do echo ---; cat "$file"; done' sh {} + >"$to/$name.yaml"
mv -f "$to/$name.new" "$to/$name"
