#!/bin/sh
# Runs an unpacked Postfix in a folder of its own until it is told to stop; as root, as its master wants it.
# usage: postfix.sh ROOT FOLDER PORT OWNER, with cert.pem, key.pem and main.cf (what is particular) in FOLDER.
# What it takes is in FOLDER/mails/all, for OWNER (a user's number) to read.
set -eu
root=$1 folder=$2 port=$3 owner=$4
mkdir -p "$folder/conf" "$folder/data" "$folder/mails"
cat - "$folder/main.cf" > "$folder/conf/main.cf" <<X
compatibility_level = 3.6
queue_directory = $folder/queue
data_directory = $folder/data
command_directory = $root/usr/sbin
daemon_directory = $root/usr/lib/postfix/sbin
shlib_directory = $root/usr/lib/postfix
meta_directory = $folder/conf
# Users that every Debian has, and that own nothing else here.
mail_owner = news
setgid_group = uucp
import_environment = MAIL_CONFIG LD_LIBRARY_PATH
maillog_file = $folder/data/log
maillog_file_prefixes = $folder
myhostname = relay.example.com
mydestination =
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
mynetworks = 127.0.0.0/8
alias_maps =
local_recipient_maps =
virtual_mailbox_domains = static:all
virtual_mailbox_maps = static:all/
virtual_mailbox_base = $folder/mails
virtual_mailbox_limit = 0
virtual_minimum_uid = 1
virtual_uid_maps = static:$owner
virtual_gid_maps = static:65534
smtpd_tls_security_level = encrypt
smtpd_tls_cert_file = $folder/cert.pem
smtpd_tls_key_file = $folder/key.pem
X
cat > "$folder/conf/master.cf" <<X
$port inet n - n - - smtpd
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
proxymap unix - - n - - proxymap
error unix - - n - - error
retry unix - - n - - error
virtual unix - n n - - virtual
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
X
cd "$folder" && mkdir -p queue && cd queue
private="active bounce corrupt defer deferred flush hold incoming private saved trace"
mkdir -p $private maildrop pid public
chown news $private "$folder/data" && chmod 700 $private
chown news:uucp maildrop public && chmod 730 maildrop && chmod 710 public
chown "$owner" "$folder/mails"
export LD_LIBRARY_PATH="$root/usr/lib/postfix:$(echo "$root"/usr/lib/*-linux-gnu)" MAIL_CONFIG="$folder/conf"
# A session of its own, whose processes its master ends with itself.
setsid "$root/usr/lib/postfix/sbin/master" -c "$folder/conf" -d &
master=$!
trap 'kill "$master"' TERM INT
wait "$master" || true
wait || true
chown -R "$owner" "$folder"
