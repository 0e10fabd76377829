"""New address: a subject calls from a network that it was never seen on.

Networks are the first three numbers of an address, so that a pod's next address on the same node
is not new; what `known.networks` names counts as one network. Behind a load balancer all calls have
its address unless Vault is told to trust X-Forwarded-For, and nothing is found.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import ibis
from ibis import Table
from ibis import _ as row

from audit.detections.detection import Detection, Facts, evidence, seconds
from audit.findings import Severity
from audit.known import Known


def rows(facts: Facts) -> Table:
    """The first call of each subject on each network that is new to it."""
    limits = facts.thresholds
    visits = facts.visits.filter(facts.visits.network != "")
    visits = visits.mutate(network=own_network(visits.network, facts.known))
    met = visits.group_by(["subject", "network"]).aggregate(
        time=visits["first"].min(),
        address=visits.address.argmin(visits["first"]),
        path=visits.path.argmin(visits["first"]),
        file=visits.file.argmin(visits["first"]),
        line=visits.line.argmin(visits["first"]),
    )
    before = ibis.window(group_by="subject", order_by=[row.time, row.network])
    met = met.mutate(
        networks=ibis.row_number().over(before),
        since=row.time.min().over(ibis.window(group_by="subject")),
    )
    age = seconds(row.time) - seconds(row.since)
    new = met.filter(
        (age >= limits.warm_up_days * 86400)
        & (row.networks >= 1)
        & (row.networks <= limits.address_most_networks)
    )
    return evidence(
        new,
        new.subject + " " + new.network,
        measure=new.networks,
        usual=new.networks,
        score=1 - 0.5 * (new.networks - 1) / limits.address_most_networks,
    )


def own_network(network: ibis.Value, known: Known) -> ibis.Value:
    """A network or address, or that of `known.networks` in which it lies."""
    for own in known.networks:
        octets = str(own.network_address).split(".")[: own.prefixlen // 8]
        start = ".".join(octets)
        inside = (network == start) | network.startswith(start + ".")
        network = ibis.ifelse(inside, str(own), network)
    return network


def _tell(first: Mapping[str, Any]) -> str:
    seen = f"{first['usual']:.0f} network{'s' if first['usual'] > 1 else ''}"
    return f"{first['subject']} called from {first['address']}; it was only seen on {seen} before"


DETECTION = Detection(
    id="new-address",
    severity=Severity.HIGH,
    about="a subject calls from a network that it was never seen on",
    warm_up="7 days; subjects seen on more than 8 networks are not judged",
    rows=rows,
    tell=_tell,
)
