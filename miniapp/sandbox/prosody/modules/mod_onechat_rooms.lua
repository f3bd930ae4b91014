-- Tells the sandbox of every room that somebody makes, and makes it an owner there, so that it can see who is in it.
-- Before a reset it has every room destroyed, which tells all who are in one: no client comes back and makes it again.
local array = require "util.array";
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

local rooms = module:depends("muc");

module:hook("message/host", function (event)
	local stanza = event.stanza;
	if jid.bare(stanza.attr.from) ~= alerts or not stanza:get_child("empty", "urn:onechat:rooms") then return; end
	for _, room in ipairs(array.collect(rooms.all_rooms())) do room:destroy(); end
	return true;
end, 10);
