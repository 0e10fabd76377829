"""The containers beside each server: one has it read a renewed certificate, one rotates its log.

Owns what they run. Both share the server's process namespace and user, so that the signal needs no
capability, and each mounts what it works on alone. Vault opens its certificate and its audit file
anew on SIGHUP; no request is lost by that.
Source: HashiCorp, "File audit device", log rotation.
"""

from __future__ import annotations

from typing import Any

from components.vault.pod_values import CONTAINER_SECURITY, TMP_MOUNT, Image
from components.vault.server_config import CERTIFICATE_FILE, TLS_MOUNT

AUDIT_MOUNT = "/vault/audit"
AUDIT_FILE = f"{AUDIT_MOUNT}/audit.log"
LOOK_SECONDS = 15

# The lowest process number named vault is the server: commands run beside it are younger.
_HANG_UP = """\
hang_up() {
  server=
  for process in $(pidof vault); do
    [ -n "$server" ] && [ "$server" -lt "$process" ] || server=$process
  done
  [ -n "$server" ] && kill -HUP "$server"
}
"""

# Kubelet replaces a mounted Secret within about a minute. What is served is noted in the pod's
# /tmp, so that a restart of this container misses no change.
RELOAD_SCRIPT = f"""\
{_HANG_UP}
note={TMP_MOUNT}/served-certificate
fingerprint() {{ sha256sum {CERTIFICATE_FILE}; }}
[ -s "$note" ] || fingerprint > "$note"
while sleep {LOOK_SECONDS}; do
  mounted=$(fingerprint) || continue
  [ "$mounted" = "$(cat "$note")" ] && continue
  hang_up || continue
  echo "$mounted" > "$note"
  echo "certificate changed: told Vault to reload it"
done
"""

# The files alone say how far it has come, so it goes on after a kill anywhere. Until Vault has made
# the log anew it may still write to the file that was renamed: that is compressed only afterwards.
# A server that does not lead makes no log: one that does not grow is left alone, and a server that
# stepped down just then is not told for ever.
# Names carry the UTC time, so their order is their age; `strongroom audit` reads them all.
ROTATE_SCRIPT = f"""\
{_HANG_UP}
umask 077
log={AUDIT_FILE}
partial={AUDIT_MOUNT}/.rotating
used() {{ du -sk {AUDIT_MOUNT} 2>/dev/null | cut -f 1; }}
size() {{ stat -c %s "$log" 2>/dev/null || echo 0; }}
told=0
before=$(size)
while sleep {LOOK_SECONDS}; do
  now=$(size)
  if [ "$now" -ge "$ROTATE_BYTES" ] && [ "$now" -gt "$before" ]; then
    new=$log.$(date -u +%Y%m%dT%H%M%S)
    [ -e "$new" ] || [ -e "$new.gz" ] || mv "$log" "$new"
    now=0
    told=0
  fi
  before=$now
  if ! [ -e "$log" ] && [ "$told" -lt 20 ] && ls "$log".*[0-9] >/dev/null 2>&1; then
    told=$((told + 1))
    hang_up || echo "no Vault runs that could be told of the new audit log"
    for wait in 1 2 3 4 5 6 7 8 9 10; do [ -e "$log" ] || sleep 0.2; done
  fi
  [ -e "$log" ] || continue
  for file in "$log".*[0-9]; do
    [ -e "$file" ] || continue
    if gzip -c "$file" > "$partial" && mv "$partial" "$file.gz" && rm "$file"; then
      echo "rotated: ${{file##*/}}.gz"
    else
      rm -f "$partial"
    fi
  done
  while [ "$(used)" -gt "$KEEP_KIB" ]; do
    set -- "$log".*
    [ -e "$1" ] || break
    rm "$1"
    echo "removed: ${{1##*/}}, the oldest, to keep room for new entries"
  done
done
"""


def reload_container(image: Image) -> dict[str, Any]:
    """Has the server read a renewed certificate."""
    return {
        **_container("tls-reload", image, RELOAD_SCRIPT, cpu_limit="50m"),
        "volumeMounts": [
            {"name": "tls", "mountPath": TLS_MOUNT, "readOnly": True},
            {"name": "tmp", "mountPath": TMP_MOUNT},
        ],
    }


def rotate_container(image: Image, volume_bytes: int) -> dict[str, Any]:
    """Keeps the audit log within three quarters of its volume: the rest is room to compress in."""
    limits = {"ROTATE_BYTES": volume_bytes // 16, "KEEP_KIB": volume_bytes * 3 // 4 // 1024}
    return {
        **_container("audit-rotate", image, ROTATE_SCRIPT, cpu_limit="250m"),
        "env": [{"name": name, "value": str(value)} for name, value in limits.items()],
        # The claim's name in the chart.
        "volumeMounts": [{"name": "audit", "mountPath": AUDIT_MOUNT}],
    }


def _container(name: str, image: Image, script: str, *, cpu_limit: str) -> dict[str, Any]:
    return {
        "name": name,
        "image": image.reference(),
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-ec", script],
        "securityContext": CONTAINER_SECURITY,
        "resources": {
            "requests": {"memory": "8Mi", "cpu": "5m"},
            "limits": {"memory": "32Mi", "cpu": cpu_limit},
        },
    }
