terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "us-east-1"
}

data "aws_caller_identity" "current" {}

resource "aws_cloudtrail" "main" {
  name                  = "main"
  s3_bucket_name        = "example-central"
  is_multi_region_trail = true
}
