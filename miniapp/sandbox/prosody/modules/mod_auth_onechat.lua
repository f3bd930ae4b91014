-- Accounts are the sandbox's: it says whose password is right; who there is, mod_onechat_people knows.
local async = require "util.async";
local http = require "net.http";
local json = require "util.json";
local new_sasl = require "util.sasl".new;

local url = module:get_option_string("onechat_authority");
local authorization = "Bearer " .. module:get_option_string("onechat_secret");
local people = module:shared("onechat_people/people");

local provider = { name = "onechat" };

function provider.user_exists(username)
	return people[username] ~= nil;
end

function provider.users()
	return pairs(people);
end

function provider.test_password(username, password)
	local right = false;
	local wait, done = async.waiter();
	http.request(url .. "/check", {
		headers = { ["Content-Type"] = "application/json", Authorization = authorization };
		body = json.encode({ user = username, password = password });
	}, function (body, code)
		local answer = code == 200 and json.decode(body);
		right = answer and answer.ok == true;
		done();
	end);
	wait();
	return right or nil, "Wrong password.";
end

local function refuse()
	return nil, "Accounts are the sandbox's: use its admin portal.";
end

provider.create_user, provider.delete_user, provider.set_password = refuse, refuse, refuse;

function provider.get_sasl_handler()
	return new_sasl(module.host, {
		plain_test = function (_, username, password)
			return provider.test_password(username, password) or false, true;
		end;
	});
end

module:provides("auth", provider);
