"""How the engine shall treat a chart's objects, whose options are the chart's and not ours."""

from __future__ import annotations

from collections.abc import Callable

import pulumi

Transform = Callable[[pulumi.ResourceTransformArgs], pulumi.ResourceTransformResult | None]


def with_options(type_: str, options: pulumi.ResourceOptions) -> Transform:
    """A transform that gives `options` to every object of the type, as well as those it has."""

    def change(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult | None:
        if args.type_ != type_:
            return None
        merged = pulumi.ResourceOptions.merge(args.opts, options)
        return pulumi.ResourceTransformResult(props=args.props, opts=merged)

    return change
