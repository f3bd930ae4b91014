-- Tells the sandbox of every room that somebody makes, and makes it an owner there, so that it can see who is in it.
local jid = require "util.jid";
local st = require "util.stanza";

local alerts = module:get_option_string("onechat_alerts");

module:hook("muc-room-pre-create", function (event)
	local room = event.room;
	if jid.bare(event.stanza.attr.from) == alerts then return; end
	room:set_affiliation(true, alerts, "owner");
	module:send(st.message({ from = module.host, to = alerts })
		:tag("room", { xmlns = "urn:onechat:rooms", jid = room.jid }));
end, -10);
