-- Search (XEP-0055) among the sandbox's people, by fields that other servers have too: `fn` is the name, `user` the local
-- part of the JID. Each word that is sought has to be in it; a `*` at its end, as ejabberd wants it, means nothing here.
local nameprep = require "util.encodings".stringprep.nameprep;
local st = require "util.stanza";

local FOUND_MAX = 50; -- more make no list that anybody reads

local host = module.host;
local people = module:shared("onechat_people/people");

module:add_feature("jabber:iq:search");

local function fold(text)
	return nameprep(text) or text:lower();
end

local function fits(text, words)
	text = fold(text);
	for word in words:gmatch("%S+") do
		if not text:find(word, 1, true) then return false; end
	end
	return true;
end

local function find(form)
	local sought = {};
	for field in form:childtags("field") do
		local var = field.attr.var;
		local words = fold(field:get_child_text("value") or ""):gsub("%*", "");
		if (var == "fn" or var == "user") and words:find("%S") then sought[var] = words; end
	end
	local found = {};
	if not next(sought) then return found; end
	for username, person in pairs(people) do
		if fits(person.name, sought.fn or "") and fits(username, sought.user or "") then
			found[#found + 1] = { jid = username .. "@" .. host, fn = person.name };
		end
	end
	table.sort(found, function (a, b) return a.fn < b.fn; end);
	return found;
end

module:hook("iq/host/jabber:iq:search:query", function (event)
	local origin, stanza = event.origin, event.stanza;
	local form = stanza.tags[1]:get_child("x", "jabber:x:data");
	if stanza.attr.type == "set" and not form then
		origin.send(st.error_reply(stanza, "modify", "bad-request", "A data form is needed."));
		return true;
	end
	local reply = st.reply(stanza):query("jabber:iq:search");
	if stanza.attr.type == "get" then
		reply:text_tag("instructions", "Find people by name or user name."):tag("x", { xmlns = "jabber:x:data", type = "form" })
			:tag("field", { var = "FORM_TYPE", type = "hidden" }):text_tag("value", "jabber:iq:search"):up()
			:tag("field", { var = "fn", type = "text-single", label = "Name" }):up()
			:tag("field", { var = "user", type = "text-single", label = "User name" }):up();
	else
		reply:tag("x", { xmlns = "jabber:x:data", type = "result" })
			:tag("field", { var = "FORM_TYPE", type = "hidden" }):text_tag("value", "jabber:iq:search"):up()
			:tag("reported")
				:tag("field", { var = "jid", type = "jid-single", label = "JID" }):up()
				:tag("field", { var = "fn", type = "text-single", label = "Name" }):up()
			:up();
		for at, person in ipairs(find(form)) do
			if at > FOUND_MAX then break; end
			reply:tag("item")
				:tag("field", { var = "jid" }):text_tag("value", person.jid):up()
				:tag("field", { var = "fn" }):text_tag("value", person.fn):up()
			:up();
		end
	end
	origin.send(reply);
	return true;
end);
