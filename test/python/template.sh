#!/bin/sh
# Validates, lints and scans template.yaml and builds it with SAM. Every finding
# that is suppressed has its reason beside the resource in the template.
set -eu

cd "$(dirname "$0")/../.."
python=$(sh test/python/install.sh emulator)
scanner=$(sh test/python/install.sh scanner)
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1

echo "cfn-lint"
"$python" -c 'import sys; from cfnlint.runner import main; sys.exit(main())' template.yaml
echo "sam validate --lint"
"$python" -m samcli validate --lint --template template.yaml >/dev/null
echo "sam build"
"$python" -m samcli build --template template.yaml --build-dir .cache/sam-build >.cache/sam-build.log 2>&1 ||
	{ cat .cache/sam-build.log; exit 1; }
ls .cache/sam-build/GuardFunction/bootstrap .cache/sam-build/SweepFunction/bootstrap .cache/sam-build/SecurityHubFunction/bootstrap
echo "checkov"
"$scanner" -m checkov.main --file template.yaml --framework cloudformation --compact --quiet --skip-download
