"""Prints a template after the SAM transform, if it asks for that, as CloudFormation would see it, in JSON.

Usage: transform.py FILE REGION
"""

import json
import os
import sys

from cfnlint.decode import cfn_yaml
from samtranslator.translator.transform import transform


class NoManagedPolicies:
    """The template names no managed policy of AWS, so that none has to be looked up."""

    def load(self):
        return {}


def plain(value):
    """Turns cfn-lint's nodes into plain values: they remember where they stood."""
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [plain(v) for v in value]
    return str(value) if isinstance(value, str) else value


def main():
    path, region = sys.argv[1:]
    os.environ["AWS_DEFAULT_REGION"] = region
    template = plain(cfn_yaml.load(path))
    for resource in template["Resources"].values():
        # As `sam package` would have done it: the transform wants an address.
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"
        if resource["Type"] == "AWS::Serverless::StateMachine":
            resource["Properties"]["DefinitionUri"] = "s3://bucket/key"
    if "Transform" in template:
        template["Globals"]["Function"].pop("CodeUri", None)
        template = transform(template, {}, NoManagedPolicies())
    json.dump(template, sys.stdout, indent=1)


if __name__ == "__main__":
    main()
