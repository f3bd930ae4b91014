-- A room's vCard (XEP-0153), which holds its picture: owners write it, everybody reads it.
local st = require "util.stanza";

local cards = module:open_store("vcard_muc");
local rooms = module:depends("muc");

module:hook("muc-disco#info", function (event)
	event.reply:tag("feature", { var = "vcard-temp" }):up();
end);

module:hook("iq/bare/vcard-temp:vCard", function (event)
	local origin, stanza = event.origin, event.stanza;
	local room = rooms.get_room_from_jid(stanza.attr.to);
	if not room then return; end
	local node = stanza.attr.to:match("^[^@]+");
	if stanza.attr.type == "get" then
		local card = cards:get(node);
		local reply = st.reply(stanza);
		origin.send(card and reply:add_child(st.deserialize(card)) or reply:tag("vCard", { xmlns = "vcard-temp" }));
	elseif room:get_affiliation(stanza.attr.from) ~= "owner" then
		origin.send(st.error_reply(stanza, "auth", "forbidden"));
	else
		cards:set(node, st.preserialize(stanza.tags[1]));
		origin.send(st.reply(stanza));
		-- Clients look at the picture again when told that something about the room has changed (XEP-0045, 104).
		room:broadcast_message(st.message({ type = "groupchat"; from = room.jid })
			:tag("x", { xmlns = "http://jabber.org/protocol/muc#user" }):tag("status", { code = "104" }):up():up());
	end
	return true;
end);
