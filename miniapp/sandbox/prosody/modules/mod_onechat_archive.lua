-- Keeps the archives in SQLite's write-ahead log: a message costs no wait for the disk, and none is lost when this
-- process is killed, only what was written in the last moments before the machine itself loses its power. The sandbox
-- brings the log into the database; here that would hold up every message.
module:set_global();

local log_pages = module:get_option_number("onechat_log_pages");
-- Milliseconds to wait for whoever else is writing, as the sandbox does for a moment when it has the log begin anew.
-- Without it, a message that comes meanwhile would stay out of the archives.
local patience = 10000;

module:hook("onechat-people-loaded", function ()
	for _, engine in pairs(module:shared("/*/sql/connections")) do
		assert(engine:connect());
		local connection = engine.conn;
		connection:commit();
		connection:autocommit(true); -- neither may be changed in a transaction
		local pragmas = {
			"busy_timeout = " .. patience;
			"journal_mode = WAL";
			"synchronous = NORMAL";
			"wal_autocheckpoint = " .. log_pages;
		};
		for _, pragma in ipairs(pragmas) do
			local statement = assert(connection:prepare("PRAGMA " .. pragma));
			assert(statement:execute());
			local row = statement:fetch();
			module:log("info", "%s: %s", pragma, row and row[1] or "done");
			statement:close();
		end
		connection:autocommit(false);
	end
end);
