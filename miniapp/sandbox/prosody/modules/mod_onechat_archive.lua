-- Keeps the archives in SQLite's write-ahead log: few messages wait for the disk. A killed process loses none; a machine
-- that loses its power loses the last moments.
module:set_global();

-- Milliseconds to wait for another program that writes. Without it, a message that comes meanwhile would stay out of the
-- archives.
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
