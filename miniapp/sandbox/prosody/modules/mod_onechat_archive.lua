-- Keeps the archives in SQLite's write-ahead log: a message costs no wait for the disk, and none is lost when this
-- process is killed, only what was written in the last moments before the machine itself loses its power.
module:set_global();

module:hook("onechat-people-loaded", function ()
	for _, engine in pairs(module:shared("/*/sql/connections")) do
		assert(engine:connect());
		local connection = engine.conn;
		connection:commit();
		connection:autocommit(true); -- neither may be changed in a transaction
		for _, pragma in ipairs({ "journal_mode = WAL", "synchronous = NORMAL" }) do
			local statement = assert(connection:prepare("PRAGMA " .. pragma));
			assert(statement:execute());
			local row = statement:fetch();
			module:log("info", "%s: %s", pragma, row and row[1] or "done");
			statement:close();
		end
		connection:autocommit(false);
	end
end);
