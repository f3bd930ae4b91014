-- The sandbox's people on this server, by name and picture; who is removed is gone. Everybody is in everybody's roster;
-- where there are too many for that, a roster holds whom one has written to, and they see each other once both have.
-- The sandbox is asked once, at the start; from then on it tells of every change: POST /onechat_people
-- {"changed": {"alice": {"name": …, "picture": …}}, "removed": ["bob"]}.
local http = require "net.http";
local json = require "util.json";
local jid = require "util.jid";
local rostermanager = require "core.rostermanager";
local storagemanager = require "core.storagemanager";
local st = require "util.stanza";

-- Rosters of everybody are as many entries as the square of the people, and so is the presence between them.
local ROSTER_MAX = 200;

local host = module.host;
local sessions = prosody.hosts[host].sessions;
local url = module:get_option_string("onechat_authority");
local authorization = "Bearer " .. module:get_option_string("onechat_secret");
local people = module:shared("people");

local function count()
	local n = 0;
	for _ in pairs(people) do n = n + 1; end
	return n;
end

local function enter(roster, username, person)
	local address = username .. "@" .. host;
	local item = roster[address] or { groups = {}, persist = false }; -- not stored
	item.name, item.subscription, item.ask = person.name, "both", nil;
	roster[address] = item;
end

module:hook("roster-load", function (event)
	if event.host ~= host then return; end
	for address, item in pairs(event.roster) do -- users who were removed or renamed while this one was offline
		local username, of = jid.split(address or nil);
		if of == host and username then
			if people[username] then item.name = people[username].name; else event.roster[address] = nil; end
		end
	end
	if count() > ROSTER_MAX then return; end
	for username, person in pairs(people) do
		if username ~= event.username then enter(event.roster, username, person); end
	end
	event.roster[false] = event.roster[false] or {};
	event.roster[false].version = true; -- an entry of ours is in no stored version
end);

local function push(username)
	prosody.hosts[host].roster_cache = nil; -- of people who are offline; it is made again when needed
	local address = username .. "@" .. host;
	for other, user in pairs(sessions) do
		if other ~= username and user.roster then
			local known = user.roster[address];
			if not people[username] then
				user.roster[address] = nil;
			elseif count() <= ROSTER_MAX then
				enter(user.roster, username, people[username]);
			elseif known then
				known.name = people[username].name;
			end
			if known or user.roster[address] then rostermanager.roster_push(other, host, address); end
		end
	end
end

-- Stores `other` in the roster of `username`. While everybody is in it, that shows nowhere.
local function keep(username, other, subscription)
	local roster = rostermanager.load_roster(username, host);
	local address = other .. "@" .. host;
	local item = roster[address] or { groups = {} };
	item.name, item.subscription, item.persist = people[other].name, subscription, nil;
	roster[address] = item;
	rostermanager.save_roster(username, host, roster, address);
	if count() <= ROSTER_MAX then item.subscription = "both"; else rostermanager.roster_push(username, host, address); end
end

local function has_kept(username, other)
	local item = rostermanager.load_roster(username, host)[other .. "@" .. host];
	return item and item.persist ~= false;
end

local function probe(from, to)
	module:send(st.presence({ type = "probe", from = from .. "@" .. host, to = to .. "@" .. host }));
end

-- Who writes to somebody has that person in the roster from then on. The other side does not: a stranger's message makes
-- nobody a contact, whose invitations are followed unasked.
local function on_message(event)
	local from, stanza = event.origin.username, event.stanza;
	local to, to_host = jid.split(stanza.attr.to);
	local kind = stanza.attr.type or "normal";
	if not (from and people[to] and to_host == host and from ~= to) then return; end
	if kind ~= "chat" and kind ~= "normal" or not stanza:get_child("body") or has_kept(from, to) then return; end
	if not has_kept(to, from) then
		keep(from, to, "none");
	else
		keep(from, to, "both");
		keep(to, from, "both");
		probe(from, to);
		probe(to, from);
	end
end

module:hook("pre-message/bare", on_message, -1);
module:hook("pre-message/full", on_message, -1);

local function remove(username)
	people[username] = nil;
	local user = sessions[username];
	for _, session in pairs(user and user.sessions or {}) do
		session:close({ condition = "not-authorized", text = "This user was removed." });
	end
	prosody.events.fire_event("user-deleted", { username = username, host = host });
	storagemanager.purge(username, host);
	push(username);
end

-- vCard (XEP-0054), by the sandbox's words; nobody else can write it.
module:add_feature("vcard-temp");

module:hook("iq/bare/vcard-temp:vCard", function (event)
	local origin, stanza = event.origin, event.stanza;
	local person = people[stanza.attr.to and jid.node(stanza.attr.to) or origin.username];
	if stanza.attr.type == "set" then
		origin.send(st.error_reply(stanza, "cancel", "not-allowed", "Names and pictures are the sandbox's."));
	elseif not person then
		origin.send(st.error_reply(stanza, "cancel", "item-not-found"));
	else
		local card = st.reply(stanza):tag("vCard", { xmlns = "vcard-temp" })
			:text_tag("FN", person.name):text_tag("NICKNAME", person.name);
		local picture = person.picture;
		if picture.data then
			card:tag("PHOTO"):text_tag("TYPE", picture.type):text_tag("BINVAL", picture.data):up();
		elseif picture.url then
			card:tag("PHOTO"):text_tag("EXTVAL", picture.url):up();
		end
		origin.send(card);
	end
	return true;
end, 10);

-- The host's component writes the bookmarks of the sandbox's groups (XEP-0402) as if it were the user.
local alerts = "alerts." .. host;

module:hook("iq/bare/http://jabber.org/protocol/pubsub:pubsub", function (event)
	local stanza = event.stanza;
	if jid.bare(stanza.attr.from) == alerts and people[jid.node(stanza.attr.to)] then
		stanza.attr.from = stanza.attr.to; -- the answer goes back by `event.origin`, the component's stream
	end
end, 10);

module:depends("http");
module:provides("http", {
	route = {
		POST = function (event)
			local request = event.request;
			if request.headers.authorization ~= authorization then return 401; end
			local news = json.decode(request.body or "");
			if type(news) ~= "table" then return 400; end
			for username, person in pairs(news.changed or {}) do
				people[username] = person;
				push(username);
			end
			for _, username in ipairs(news.removed or {}) do remove(username); end
			return 204;
		end;
	};
});

local function load()
	http.request(url .. "/people", { headers = { Authorization = authorization }; body = "{}" }, function (body, code)
		local answer = code == 200 and json.decode(body);
		if not answer then
			module:log("error", "The sandbox does not say who there is (%s); asking again.", code);
			module:add_timer(0.2, load);
			return;
		end
		for username, person in pairs(answer) do people[username] = person; end
		prosody.events.fire_event("onechat-people-loaded");
	end);
end

module:hook_global("server-started", load);
