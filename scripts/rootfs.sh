#!/bin/sh
# Collects the files of the image's last stage into a folder: Node, what it is linked to, CA certificates, time zones, one user.
set -eu
root=${1:?which folder?}
node=$(command -v node)
mkdir -p "$root/usr/local/bin" "$root/etc/ssl/certs" "$root/var/lib/dpkg/status.d" "$root/tmp"
chmod 1777 "$root/tmp"
cp -L "$node" "$root/usr/local/bin/node"

# The command by its name, for `kubectl exec`: the kernel reads the first line, so no shell is needed.
cat >"$root/usr/local/bin/paycert" <<'SCRIPT'
#!/usr/local/bin/node --heap-growing-percent=100
import('/paycert/dist/cli/main.js');
SCRIPT
chmod 755 "$root/usr/local/bin/paycert"

# A scanner knows what is here by the records of Debian's packages, where distroless images have them too.
record() {
  owner=$(dpkg -S "$1" 2>/dev/null | cut -d: -f1) || owner=
  [ -n "$owner" ] || return 1
  dpkg -s "$owner" >"$root/var/lib/dpkg/status.d/$owner"
}

# The loader and the libraries, at the paths that the binary has them under; those of name look-ups are loaded by name.
libraries=$(ldd "$node" | grep -o '/[^ ]*')
libc=$(dirname "$(printf '%s\n' "$libraries" | grep '/libc\.so')")
for library in $libraries "$libc"/libnss_dns.so.2 "$libc"/libnss_files.so.2 "$libc"/libresolv.so.2; do
  [ -e "$library" ] || continue
  mkdir -p "$root$(dirname "$library")"
  cp -L "$library" "$root$library"
  file=$(readlink -f "$library")
  record "$file" || record "${file#/usr}" || record "$library" || { echo "No package owns $library." >&2; exit 1; }
done

cp -L /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
dpkg -s ca-certificates >"$root/var/lib/dpkg/status.d/ca-certificates"
# Node brings zones of its own; these are for the C library. The same zones with leap seconds, and once more, are left out.
if [ -d /usr/share/zoneinfo ]; then
  mkdir -p "$root/usr/share"
  cp -r /usr/share/zoneinfo "$root/usr/share/zoneinfo"
  rm -rf "$root/usr/share/zoneinfo/right" "$root/usr/share/zoneinfo/posix"
  dpkg -s tzdata >"$root/var/lib/dpkg/status.d/tzdata"
fi
printf 'root:x:0:0::/:/nonexistent\npaycert:x:65532:65532::/:/nonexistent\n' >"$root/etc/passwd"
printf 'root:x:0:\npaycert:x:65532:\n' >"$root/etc/group"
printf 'hosts: files dns\n' >"$root/etc/nsswitch.conf"
