#!/bin/sh
# Templates become configuration, with the variables that are defined filled in and all others left as they are.
set -e

templates="${NGINX_ENVSUBST_TEMPLATE_DIR:-/etc/nginx/templates}"
suffix="${NGINX_ENVSUBST_TEMPLATE_SUFFIX:-.template}"
output="${NGINX_ENVSUBST_OUTPUT_DIR:-/etc/nginx/conf.d}"
[ -d "$templates" ] || exit 0

defined=$(env | sed -nE "s/^(${NGINX_ENVSUBST_FILTER:-}[A-Za-z_0-9]*)=.*/\${\1}/p" | tr '\n' ' ')
find "$templates" -follow -type f -name "*$suffix" | while read -r template; do
    name=${template#"$templates"/}
    mkdir -p "$output/$(dirname "$name")"
    envsubst "$defined" < "$template" > "$output/${name%"$suffix"}"
done
