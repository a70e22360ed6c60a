terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}

provider "aws" {
  region = "us-east-1"
}

data "aws_caller_identity" "current" {}

variable "archive" {
  type      = string
  sensitive = true
  default   = "s3cr3t-bucket"
}

resource "aws_s3_bucket" "logs" {
  bucket = var.archive
}

resource "aws_s3_bucket_policy" "logs" {
  bucket = aws_s3_bucket.logs.bucket
  policy = "{\"Version\":\"2012-10-17\",\"Statement\":[{\"Sid\":\"s3cr3t-sid\",\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"cloudtrail.amazonaws.com\"},\"Action\":\"s3:GetBucketAcl\",\"Resource\":\"arn:aws:s3:::${var.archive}\"}]}"
}

resource "aws_cloudtrail" "main" {
  name           = "main"
  s3_bucket_name = aws_s3_bucket_policy.logs.bucket
}
