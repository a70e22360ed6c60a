terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

variable "region" {
  type    = string
  default = "eu-west-1"
}

provider "aws" {
  region = var.region
}

data "aws_caller_identity" "current" {}

module "archive" {
  source = "./modules/archive"
  name   = "example-archive"
}

resource "aws_cloudtrail" "main" {
  name                  = "main"
  s3_bucket_name        = module.archive.bucket
  is_multi_region_trail = true
  depends_on            = [module.archive]
}
