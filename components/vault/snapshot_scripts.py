"""What the snapshot pods run: shell text for busybox and for the clouds' own images.

Owns the order and the checks: nothing gets a snapshot's name before it has been verified. Every
value comes in as an environment variable; the login token stays in the shell's own environment and
reaches neither a command line nor the log. Names carry the UTC time, so their order is their age.
"""

from __future__ import annotations

_SETUP = """\
umask 077
fail() { echo "$*" >&2; exit 1; }
"""

# gzip -t finds a cut-off file, the sums a changed one; the parts are read as a stream, so that the
# check needs no space. A standby's answer to the snapshot request is a redirect to the active
# server, which the client follows.
SAVE = (
    _SETUP
    + """\
name=vault-$(date -u +%Y%m%dT%H%M%SZ).snap
partial=$FOLDER/$name.partial
find "$FOLDER" -name 'vault-*.snap.partial' -mmin +"$STALE_MINUTES" -exec rm -f {} \\;
trap 'rm -f "$partial"' EXIT

VAULT_TOKEN=$(vault write -field=token "auth/$AUTH_PATH/login" "role=$ROLE" "jwt=@$JWT_FILE") ||
  fail "no snapshot: Vault refuses the login at auth/$AUTH_PATH as role $ROLE"
export VAULT_TOKEN
vault operator raft snapshot save "$partial" || fail "no snapshot: Vault did not give one"

gzip -t < "$partial" || fail "no snapshot: the archive is cut off or damaged"
listed=$(tar -tzf "$partial") || fail "no snapshot: the archive cannot be listed"
for part in meta.json state.bin SHA256SUMS; do
  echo "$listed" | grep -qx "$part" || fail "no snapshot: $part is missing in the archive"
done
sums=$(tar -xzOf "$partial" SHA256SUMS)
for part in meta.json state.bin; do
  sum=$(tar -xzOf "$partial" "$part" | sha256sum | cut -d ' ' -f 1)
  echo "$sums" | grep -qx "$sum  *$part" || fail "no snapshot: the checksum of $part is wrong"
done
size=$(wc -c < "$partial")
[ "$size" -ge "$MINIMUM_BYTES" ] ||
  fail "no snapshot: $size bytes are fewer than the $MINIMUM_BYTES of an empty Vault"
sync "$partial"
mv "$partial" "$FOLDER/$name"
echo "saved $name: $size bytes, verified"
"""
)

KEEP_NEWEST = """\
ls "$FOLDER" | grep -x 'vault-[0-9TZ]*\\.snap' | sort -r | tail -n +"$((RETAIN + 1))" |
  while read -r old; do
    rm -f "$FOLDER/$old"
    echo "removed $old: the newest $RETAIN are kept"
  done
"""

UPLOAD_S3 = """\
for file in "$FOLDER"/vault-*.snap; do
  aws s3 cp --only-show-errors "$file" "s3://$BUCKET/$PREFIX${file##*/}"
  echo "stored s3://$BUCKET/$PREFIX${file##*/}"
done
"""

UPLOAD_GCS = """\
for file in "$FOLDER"/vault-*.snap; do
  gcloud storage cp --quiet "$file" "gs://$BUCKET/$PREFIX${file##*/}"
  echo "stored gs://$BUCKET/$PREFIX${file##*/}"
done
"""

_TOO_OLD = 'fail "no snapshot of the last $((MAX_AGE_SECONDS / 60)) minutes in'

FRESH_VOLUME = (
    _SETUP
    + f"""\
minutes=$((MAX_AGE_SECONDS / 60))
newest=$(find "$FOLDER" -name 'vault-*.snap' -mmin -"$minutes" | sort | tail -n 1)
[ -n "$newest" ] || {_TOO_OLD} the volume"
echo "newest snapshot: ${{newest##*/}}"
"""
)

_CUTOFF = (
    _SETUP
    + """\
cutoff=vault-$(date -u -d "@$(($(date +%s) - MAX_AGE_SECONDS))" +%Y%m%dT%H%M%SZ).snap
"""
)

FRESH_S3 = (
    _CUTOFF
    + f"""\
newest=$(aws s3api list-objects-v2 --bucket "$BUCKET" --prefix "${{PREFIX}}vault-" \\
  --start-after "$PREFIX$cutoff" --max-items 1 --query 'Contents[].Key' --output text)
case $newest in
  "${{PREFIX}}vault-"*) echo "a snapshot young enough: $newest" ;;
  *) {_TOO_OLD} s3://$BUCKET/$PREFIX" ;;
esac
"""
)

FRESH_GCS = (
    _CUTOFF
    + f"""\
newest=$(gcloud storage ls "gs://$BUCKET/${{PREFIX}}vault-*.snap" | sort | tail -n 1)
later=$(printf '%s\\n%s\\n' "gs://$BUCKET/$PREFIX$cutoff" "$newest" | sort | tail -n 1)
[ "$later" = "$newest" ] || {_TOO_OLD} gs://$BUCKET/$PREFIX"
echo "newest snapshot: $newest"
"""
)
