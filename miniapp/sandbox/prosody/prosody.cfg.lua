-- Written by onechat-miniapp at every start; changes here are lost. `given` holds what differs from run to run.
local given = {{ given }}
local H = given.domain

data_path = given.directory .. "/data"
pidfile = given.directory .. "/prosody.pid"
admin_socket = given.directory .. "/prosody.sock"
certificates = given.directory .. "/certs" -- there are none: nothing here leaves this machine
log = { info = given.directory .. "/prosody.log" }
plugin_paths = { given.modules }
run_as_root = true -- the sandbox starts Prosody as another user, unless only root can enter the directory

interfaces = { "127.0.0.1" }
local_interfaces = { "127.0.0.1" }
c2s_ports = { given.c2s_port }
c2s_direct_tls_ports = {}
http_ports = { given.http_port }
http_interfaces = { "127.0.0.1" }
https_ports = {}
http_default_host = H
http_external_url = "http://127.0.0.1:" .. given.http_port .. "/"
component_ports = { given.component_port }
component_interfaces = { "127.0.0.1" }
modules_disabled = { "s2s"; "tls" }

-- Loopback only. Passwords come in clear, since only the sandbox knows them, and only as digests.
c2s_require_encryption = false
allow_unencrypted_plain_auth = true
consider_websocket_secure = true
consider_bosh_secure = true
-- A chat plugin may stand on any page; a page that has no password gets nowhere, as there are no cookies.
http_cors_override = { bosh = { enabled = true; origins = "*" }; websocket = { enabled = true; origins = "*" } }

-- Lua's collector at Prosody's own setting goes through all memory, 3 MB, at one go for every few messages: 8 ms each
-- time. Here it begins at ten times what is in use (`threshold`, in percent) and then goes on in small steps, of `speed`
-- units of work for each 16 bytes asked for, after every 2^`step_size` bytes. With 8 units, 20 messages in a row took
-- 3 ms longer; with one, none stands out.
gc = { mode = "incremental"; threshold = 1000; speed = 1; step_size = 10 }
network_settings = { nagle = false } -- a short message would wait up to 40 ms for the one before to be acknowledged
c2s_stanza_size_limit = 256 * 1024 -- bytes; the largest picture that clients send about themselves
limits = { c2s = { rate = "256kb/s"; burst = "4s" } } -- a thousand short messages a second; who sends more has to wait

authentication = "onechat"
onechat_authority = given.authority
onechat_secret = given.secret

storage = { archive = "sql"; muc_log = "sql" } -- as files, a user's whole archive is loaded to add one message
sql = { driver = "SQLite3"; database = "archive.sqlite" }
archive_expires_after = "4w"
default_archive_policy = true
max_archive_query_results = 250

modules_enabled = {
	"onechat_parent"; "onechat_archive"; "roster"; "saslauth"; "disco"; "carbons"; "pep"; "private"; "blocklist"; "bookmarks"; "ping"; "time";
	"version"; "limits"; "mam"; "offline"; "csi_simple"; "smacks"; "http"; "bosh"; "websocket";
}
bounce_blocked_messages = true -- Prosody 13 would drop them without a word, and 0.12 always bounces
smacks_hibernation_time = 60 -- seconds in which a client that lost its connection can come back to its session

VirtualHost (H)
	modules_enabled = { "onechat_people"; "onechat_search" }
	disco_items = { { "muc." .. H, "Groups" }; { "upload." .. H, "Uploads" } }

Component ("muc." .. H) "muc"
	name = "Groups"
	modules_enabled = { "muc_mam"; "onechat_room_vcard"; "onechat_rooms" }
	onechat_alerts = "alerts." .. H
	muc_log_by_default = true
	muc_log_expires_after = "4w"
	restrict_room_creation = false
	muc_room_locking = false
	muc_tombstones = false -- after a reset of the sandbox its groups are made anew, at the same JIDs
	muc_room_default_persistent = true
	muc_room_default_members_only = true
	muc_room_default_public = false
	muc_room_default_public_jids = true -- who wrote something is told by JID

Component ("upload." .. H) "http_file_share"
	http_host = H -- browsers come by address, which leads to the default host
	http_file_share_size_limit = 10 * 1024 * 1024 -- bytes; a photograph
	http_file_share_expires_after = 7 * 24 * 3600

Component ("alerts." .. H)
	name = "Alerts"
	component_secret = given.component_secret
	modules_enabled = {}
