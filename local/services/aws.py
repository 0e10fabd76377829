"""STAND-IN for AWS: a moto server in the node's network namespace. It is not AWS.

It answers KMS, IAM, STS, S3, Secrets Manager, SNS, Lambda and CloudWatch Logs well enough for
auto-unseal, dynamic credentials, secret import and rotation. What it does not do: run functions,
check signatures or IAM policies (moto's enforcement is off: any access key may do anything), bill,
throttle or replicate. Keys lie unencrypted in a 0600 file, so nothing of value belongs in it.

It listens on the node's own address, which only the node's pods and this machine's forwarded
loopback port reach.
"""

from __future__ import annotations

import http.client
import sys
import time
from dataclasses import dataclass

from local.paths import REPOSITORY, Instance
from local.services.host import ServiceError, ServiceHost, tail

NAME = "aws"
PORT = 5000
HEALTH = "/_strongroom/health"  # no bucket can be called that


@dataclass(frozen=True)
class AwsService:
    """Where the stand-in answers: for pods, and for programs of this machine."""

    endpoint_in_cluster: str
    host_port: int

    @property
    def endpoint(self) -> str:
        """The endpoint for programs outside the node."""
        return f"http://127.0.0.1:{self.host_port}"


def start(
    node: ServiceHost, instance: Instance, *, port: int = PORT, timeout: float = 60
) -> AwsService:
    """Run the stand-in with this instance's state and wait until it answers; again is harmless.

    `timeout` is in seconds. Raises ServiceError when it does not answer in time.
    """
    folder = instance.state_dir / NAME
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    state = str(folder / "state.pickle")
    module = [sys.executable, "-m", "local.services.aws_server"]
    argv = [*module, "--state", state, "--host", node.node_ip, "--port", str(port)]
    node.run_service(NAME, argv, {"PYTHONPATH": str(REPOSITORY)}, REPOSITORY)
    service = AwsService(f"http://{node.node_ip}:{port}", node.forward(NAME, 0, node.node_ip, port))
    deadline = time.monotonic() + timeout
    while not _answers(service.host_port):
        if time.monotonic() > deadline:
            log = instance.logs / f"{NAME}.log"
            raise ServiceError(
                f"the AWS stand-in did not answer on {service.endpoint} within {timeout:.0f} s; "
                f"the end of {log}:\n{tail(log)}"
            )
        time.sleep(0.1)
    return service


def stop(node: ServiceHost) -> None:
    """End the stand-in; its state stays."""
    node.stop_service(NAME)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", HEALTH)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
