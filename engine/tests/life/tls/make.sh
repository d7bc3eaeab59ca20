#!/usr/bin/env bash
# How the certificates beside this file were made, good for a hundred years: an authority of the tests, and a server on localhost.
set -euo pipefail
cd "$(dirname "$0")"
days=36500
new_key() { openssl ecparam -name prime256v1 -genkey -noout | openssl pkcs8 -topk8 -nocrypt -out "$1"; }
new_key authority.key
openssl req -x509 -new -key authority.key -subj "/CN=Authority of the tests" -days $days -out authority.pem \
    -addext "basicConstraints=critical,CA:TRUE" -addext "keyUsage=critical,keyCertSign"
new_key localhost.key
openssl req -new -key localhost.key -subj "/CN=localhost" -out localhost.csr
openssl x509 -req -in localhost.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days $days -out localhost.pem \
    -extfile <(printf 'subjectAltName=DNS:localhost\nbasicConstraints=critical,CA:FALSE\nextendedKeyUsage=serverAuth\n')
# Nothing is signed by this authority again.
rm -f authority.key authority.srl localhost.csr
