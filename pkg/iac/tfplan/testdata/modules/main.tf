terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "us-east-1"
}

data "aws_caller_identity" "current" {}

variable "secret" {
  type      = string
  sensitive = true
  default   = "s3cr3t-v4lue"
}

module "logs" {
  source   = "./modules/logs"
  for_each = toset(["eu", "us"])
  name     = "example-${each.key}"
  secret   = var.secret
}

resource "aws_cloudtrail" "main" {
  for_each              = toset(["eu", "us"])
  name                  = "main"
  s3_bucket_name        = module.logs[each.key].bucket
  is_multi_region_trail = true
}
