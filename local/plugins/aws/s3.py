"""Buckets. What is in them belongs to others; `forceDestroy` alone lets a full one be deleted."""

from __future__ import annotations

from local.plugins.aws.base import AwsType, pairs, tags_of, unless_gone
from local.plugins.resource import Field, Made, Values

_UNSAID = "us-east-1"  # the one region that S3 never names


class Bucket(AwsType):
    """A bucket, without the settings that the official plugin keeps in types of their own."""

    token = "aws:s3/bucket:Bucket"  # noqa: S105 - a type's name, not a secret
    service = "s3"
    fields = {  # noqa: RUF012 - never changed
        "bucket": Field(replace=True),
        "forceDestroy": Field(default=False),
        "tags": Field(),
    }
    outputs = ("arn", "bucketDomainName", "bucketRegion", "bucketRegionalDomainName", "tagsAll")
    automatic_name = "bucket"

    def create(self, inputs: Values) -> Made:
        name, region = inputs["bucket"], self.api.meta.region_name
        place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
        self.api.create_bucket(Bucket=name, **({} if region == _UNSAID else place))
        return Made(name, self.update(name, {}, inputs))

    def live(self, identity: str, state: Values) -> Values:
        del state
        region = self.api.get_bucket_location(Bucket=identity)["LocationConstraint"] or _UNSAID
        tags: list[dict[str, str]] = []
        with unless_gone("NoSuchTagSet"):
            tags = self.api.get_bucket_tagging(Bucket=identity)["TagSet"]
        return {
            "arn": f"arn:aws:s3:::{identity}",
            "bucket": identity,
            "bucketDomainName": f"{identity}.s3.amazonaws.com",
            "bucketRegion": region,
            "bucketRegionalDomainName": f"{identity}.s3.{region}.amazonaws.com",
            **tags_of(tags),
        }

    def update(self, identity: str, old: Values, new: Values) -> Values:
        if tags := pairs(new.get("tags")):
            self.api.put_bucket_tagging(Bucket=identity, Tagging={"TagSet": tags})
        elif old.get("tags"):
            self.api.delete_bucket_tagging(Bucket=identity)
        return self.live(identity, new)

    def delete(self, identity: str, state: Values) -> None:
        with unless_gone():
            if state["forceDestroy"]:
                self._empty(identity)
            self.api.delete_bucket(Bucket=identity)

    def _empty(self, identity: str) -> None:
        for page in self.api.get_paginator("list_object_versions").paginate(Bucket=identity):
            found = [*page.get("Versions", ()), *page.get("DeleteMarkers", ())]
            objects = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in found]
            if objects:
                self.api.delete_objects(Bucket=identity, Delete={"Objects": objects})
