#!/bin/sh
# Before the server starts, run what lies in /docker-entrypoint.d in the order of the names.
set -e

if [ "$1" = nginx ] || [ "$1" = nginx-debug ]; then
    for file in $(find /docker-entrypoint.d -follow -type f | sort); do
        case "$file" in
            *.envsh) . "$file" ;;
            *.sh) if [ -x "$file" ]; then "$file"; fi ;;
        esac
    done
fi
exec "$@"
