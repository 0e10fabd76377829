# The command line as an image: `strongroom:rotation.job.image` names it.
#   docker build --tag registry.example.com/strongroom:1.0.0 .
# Its Python, packages and kubectl have the versions that the project pins.
FROM registry.k8s.io/kubectl:v1.34.3 AS kubectl

FROM python:3.11-slim-bookworm AS packages
COPY requirements.lock /
RUN python -m venv /opt/venv \
  && /opt/venv/bin/pip install --no-cache-dir --no-compile --require-hashes -r /requirements.lock

FROM python:3.11-slim-bookworm
COPY --from=kubectl /bin/kubectl /usr/local/bin/kubectl
COPY --from=packages /opt/venv /opt/venv
COPY access /opt/strongroom/access
COPY cli /opt/strongroom/cli
COPY rotation /opt/strongroom/rotation
COPY settings /opt/strongroom/settings
COPY vaultops /opt/strongroom/vaultops
ENV PATH=/opt/venv/bin:/usr/local/bin:/usr/bin:/bin PYTHONPATH=/opt/strongroom PYTHONDONTWRITEBYTECODE=1
USER 65532:65532
ENTRYPOINT ["python3", "-m", "cli.rotator"]
