-- Ties this server to the process that started it: says on standard output when everything listens, and ends when
-- standard input does, which the parent's end brings about even if it is killed.
local json = require "util.json";
local portmanager = require "core.portmanager";
local server = require "net.server";

module:set_global();

module:hook("onechat-people-loaded", function ()
	local ports = {};
	for _, _, port in portmanager.get_active_services():iter(nil, nil, nil, nil) do
		table.insert(ports, port);
	end
	io.stdout:write(json.encode({ ports = ports }), "\n");
	io.stdout:flush();
end);

server.watchfd(0, function (conn)
	conn:close();
	prosody.main_thread:run(function ()
		prosody.shutdown("The process that started this server has ended.");
	end);
end);
