# Sourced by the commands here: finds a Python of at least 3.11 and lets it prepare this checkout.
root=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)

become() {
    for python in python3.13 python3.12 python3.11 python3.14 python3 python; do
        if command -v "$python" >/dev/null 2>&1 &&
            "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then
            exec "$python" -I "$root/crm_admin/launcher/bootstrap.py" "$@"
        fi
    done
    echo "CRM Admin needs Python 3.11 or newer with pip; none was found on the PATH." >&2
    exit 1
}
