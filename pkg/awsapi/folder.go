package awsapi

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/trailwarden/trailwarden/pkg/guardrail"
)

var _ guardrail.Folders = (*Buckets)(nil)

// foldersPerPage is how many names a call of ListObjectsV2 gives at most.
const foldersPerPage = 1000

// Folders returns the names of the folders under a prefix. It sees no object's name and no content.
func (b *Buckets) Folders(ctx context.Context, ref guardrail.BucketRef, prefix string) ([]string, error) {
	var names []string
	_, err := b.inRegion(ctx, ref, func(client S3API) error {
		names = nil
		in := s3.ListObjectsV2Input{
			Bucket: aws.String(ref.Name), Prefix: aws.String(prefix), Delimiter: aws.String("/"),
			MaxKeys: aws.Int32(foldersPerPage), ExpectedBucketOwner: owner(ref),
		}
		for range guardrail.MaxFolders / foldersPerPage {
			out, err := client.ListObjectsV2(ctx, &in)
			if err != nil {
				return err
			}
			for _, folder := range out.CommonPrefixes {
				names = append(names, strings.TrimSuffix(strings.TrimPrefix(aws.ToString(folder.Prefix), prefix), "/"))
			}
			if in.ContinuationToken = out.NextContinuationToken; aws.ToString(in.ContinuationToken) == "" {
				return nil
			}
		}
		return nil
	})
	if err != nil {
		return nil, failure("s3:ListObjectsV2", err)
	}
	return names, nil
}
