variable "name" { type = string }

module "bucket" {
  source = "../bucket"
  name   = var.name
}

data "aws_iam_policy_document" "this" {
  statement {
    sid       = "Acl"
    actions   = ["s3:GetBucketAcl"]
    resources = ["arn:aws:s3:::${var.name}"]
    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }
  }
  statement {
    sid       = "Write"
    actions   = ["s3:PutObject"]
    resources = ["arn:aws:s3:::${var.name}/AWSLogs/*"]
    principals {
      type        = "Service"
      identifiers = ["cloudtrail.amazonaws.com"]
    }
  }
  statement {
    sid       = "Read"
    actions   = ["s3:GetObject"]
    resources = ["${module.bucket.arn}/*"]
    principals {
      type        = "AWS"
      identifiers = ["arn:aws:iam::222222222222:role/reader"]
    }
  }
}

resource "aws_s3_bucket_policy" "this" {
  bucket = module.bucket.id
  policy = data.aws_iam_policy_document.this.json
}

output "bucket" {
  value = aws_s3_bucket_policy.this.bucket
}
