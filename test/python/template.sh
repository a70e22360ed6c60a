#!/bin/sh
# Validates, lints and scans the templates and the state machine, and builds
# template.yaml with SAM. Every finding that is suppressed has its reason beside the
# resource in the template.
set -eu

cd "$(dirname "$0")/../.."
python=$(sh test/python/install.sh emulator)
scanner=$(sh test/python/install.sh scanner)
validator=$(sh test/npm.sh asl)/node_modules/.bin/asl-validator
export SAM_CLI_TELEMETRY=0 AWS_DEFAULT_REGION=us-east-1

echo "cfn-lint"
"$python" -c 'import sys; from cfnlint.runner import main; sys.exit(main())' template.yaml deploy/member.yaml deploy/restorer.yaml
echo "asl-validator"
# As CloudFormation fills it in.
sed -e 's#${Invoke}#arn:aws:states:::lambda:invoke#' \
	-e 's#${SweepFunction}#arn:aws:lambda:us-east-1:111111111111:function:sweep#' deploy/sweep.asl.json >.cache/sweep.asl.json
"$validator" --json-path .cache/sweep.asl.json
echo "sam validate --lint"
for template in template.yaml deploy/member.yaml deploy/restorer.yaml; do
	"$python" -m samcli validate --lint --template "$template" >/dev/null
done
echo "sam build"
"$python" -m samcli build --template template.yaml --build-dir .cache/sam-build >.cache/sam-build.log 2>&1 ||
	{ cat .cache/sam-build.log; exit 1; }
ls .cache/sam-build/GuardFunction/bootstrap .cache/sam-build/SweepFunction/bootstrap .cache/sam-build/SecurityHubFunction/bootstrap
for template in template.yaml deploy/member.yaml deploy/restorer.yaml; do
	echo "checkov $template"
	"$scanner" -m checkov.main --file "$template" --framework cloudformation --compact --quiet --skip-download
done
