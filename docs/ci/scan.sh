#!/bin/sh
# What the GitHub Action of this repository runs: annotations in the log, a summary of the job,
# and SARIF if a file is given. TRAILWARDEN names the program; the inputs are in SCAN_….
set -u

set --
[ -z "${SCAN_ORGANIZATION_ID:-}" ] || set -- "$@" "--organization-id=$SCAN_ORGANIZATION_ID"
[ -z "${SCAN_ACCOUNT:-}" ] || set -- "$@" "--account=$SCAN_ACCOUNT"
[ -z "${SCAN_REGION:-}" ] || set -- "$@" "--region=$SCAN_REGION"
[ -z "${SCAN_TRAILS:-}" ] || set -- "$@" "--trails=$SCAN_TRAILS"
[ -z "${SCAN_PARAMETERS:-}" ] || set -- "$@" "--parameters=$SCAN_PARAMETERS"
[ -z "${SCAN_BASE:-}" ] || set -- "$@" "--base=$SCAN_BASE"
[ -z "${SCAN_SOURCE:-}" ] || set -- "$@" "--source=$SCAN_SOURCE"
[ -z "${SCAN_ACCEPTED:-}" ] || set -- "$@" "--accepted=$SCAN_ACCEPTED"
[ "${SCAN_STRICT:-false}" != true ] || set -- "$@" --strict
[ "${SCAN_ALL:-false}" != true ] || set -- "$@" --all
set -- "$@" --
while IFS= read -r path; do
	[ -z "$path" ] || set -- "$@" "$path"
done <<END
${SCAN_PATH:-}
END

"$TRAILWARDEN" scan --format=github "$@"
status=$?
[ "$status" -le 1 ] || exit "$status"
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
	"$TRAILWARDEN" scan --format=markdown "$@" >>"$GITHUB_STEP_SUMMARY"
fi
if [ -n "${SCAN_SARIF:-}" ]; then
	"$TRAILWARDEN" scan --format=sarif "$@" >"$SCAN_SARIF"
fi
exit "$status"
