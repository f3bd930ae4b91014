PRAGMA user_version = 8;
BEGIN TRANSACTION;
CREATE TABLE apps (
	app_id VARCHAR NOT NULL, 
	key_digest BLOB NOT NULL, 
	name VARCHAR NOT NULL, 
	icon VARCHAR NOT NULL, 
	url VARCHAR NOT NULL, 
	admin VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	created_at DOUBLE NOT NULL, 
	PRIMARY KEY (app_id)
);
INSERT INTO "apps" VALUES('app-3f9c2b7e5a10',X'789D66A3439D15147455167EACA274C8E44DD229A45CDD12B2F15066ED24239B','Lunch','http://localhost:5000/','http://localhost:5000/','admin@onechat.localhost','approved',1795600000.0);
CREATE TABLE deliveries (
	jid VARCHAR NOT NULL, 
	message_id INTEGER NOT NULL, 
	thread VARCHAR NOT NULL, 
	PRIMARY KEY (jid, message_id), 
	FOREIGN KEY(jid) REFERENCES users (jid) ON DELETE CASCADE, 
	FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "deliveries" VALUES('admin@onechat.localhost',6,'alerts.onechat.localhost');
INSERT INTO "deliveries" VALUES('alice@onechat.localhost',5,'alerts.onechat.localhost');
INSERT INTO "deliveries" VALUES('alice@onechat.localhost',6,'alerts.onechat.localhost');
INSERT INTO "deliveries" VALUES('alice@onechat.localhost',1,'bob@onechat.localhost');
INSERT INTO "deliveries" VALUES('alice@onechat.localhost',2,'bob@onechat.localhost');
INSERT INTO "deliveries" VALUES('alice@onechat.localhost',3,'bob@onechat.localhost');
INSERT INTO "deliveries" VALUES('alice@onechat.localhost',7,'carol@onechat.localhost');
INSERT INTO "deliveries" VALUES('alice@onechat.localhost',4,'lunch-100200@muc.onechat.localhost');
INSERT INTO "deliveries" VALUES('bob@onechat.localhost',6,'alerts.onechat.localhost');
INSERT INTO "deliveries" VALUES('bob@onechat.localhost',1,'alice@onechat.localhost');
INSERT INTO "deliveries" VALUES('bob@onechat.localhost',2,'alice@onechat.localhost');
INSERT INTO "deliveries" VALUES('bob@onechat.localhost',3,'alice@onechat.localhost');
INSERT INTO "deliveries" VALUES('bob@onechat.localhost',4,'lunch-100200@muc.onechat.localhost');
INSERT INTO "deliveries" VALUES('carol@onechat.localhost',6,'alerts.onechat.localhost');
INSERT INTO "deliveries" VALUES('carol@onechat.localhost',7,'alice@onechat.localhost');
INSERT INTO "deliveries" VALUES('carol@onechat.localhost',4,'lunch-100200@muc.onechat.localhost');
INSERT INTO "deliveries" VALUES('dave@onechat.localhost',6,'alerts.onechat.localhost');
INSERT INTO "deliveries" VALUES('erin@onechat.localhost',6,'alerts.onechat.localhost');
INSERT INTO "deliveries" VALUES('frida@onechat.localhost',6,'alerts.onechat.localhost');
CREATE TABLE groups (
	jid VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	owner VARCHAR NOT NULL, 
	PRIMARY KEY (jid)
);
INSERT INTO "groups" VALUES('lunch-100200@muc.onechat.localhost','Lunch club','alice@onechat.localhost');
INSERT INTO "groups" VALUES('office-300400@muc.onechat.localhost','Office, 4th floor','admin@onechat.localhost');
CREATE TABLE heard (
	owner VARCHAR NOT NULL, 
	archive_id VARCHAR NOT NULL, 
	"key" VARCHAR NOT NULL, 
	message_id INTEGER NOT NULL, 
	PRIMARY KEY (owner, archive_id), 
	FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE invitations (
	jid VARCHAR NOT NULL, 
	"group" VARCHAR NOT NULL, 
	"by" VARCHAR NOT NULL, 
	at DOUBLE NOT NULL, 
	answer VARCHAR NOT NULL, 
	PRIMARY KEY (jid, "group"), 
	FOREIGN KEY(jid) REFERENCES users (jid) ON DELETE CASCADE
)
 WITHOUT ROWID

;
CREATE TABLE members (
	"group" VARCHAR NOT NULL, 
	jid VARCHAR NOT NULL, 
	PRIMARY KEY ("group", jid), 
	FOREIGN KEY("group") REFERENCES groups (jid) ON DELETE CASCADE, 
	FOREIGN KEY(jid) REFERENCES users (jid) ON DELETE CASCADE
);
INSERT INTO "members" VALUES('lunch-100200@muc.onechat.localhost','alice@onechat.localhost');
INSERT INTO "members" VALUES('lunch-100200@muc.onechat.localhost','bob@onechat.localhost');
INSERT INTO "members" VALUES('lunch-100200@muc.onechat.localhost','carol@onechat.localhost');
INSERT INTO "members" VALUES('office-300400@muc.onechat.localhost','admin@onechat.localhost');
INSERT INTO "members" VALUES('office-300400@muc.onechat.localhost','alice@onechat.localhost');
INSERT INTO "members" VALUES('office-300400@muc.onechat.localhost','bob@onechat.localhost');
INSERT INTO "members" VALUES('office-300400@muc.onechat.localhost','carol@onechat.localhost');
INSERT INTO "members" VALUES('office-300400@muc.onechat.localhost','dave@onechat.localhost');
INSERT INTO "members" VALUES('office-300400@muc.onechat.localhost','erin@onechat.localhost');
CREATE TABLE messages (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind VARCHAR NOT NULL, 
	sender VARCHAR NOT NULL, 
	sender_name VARCHAR NOT NULL, 
	app_id VARCHAR, 
	"to" VARCHAR NOT NULL, 
	text VARCHAR NOT NULL, 
	at DOUBLE NOT NULL
);
INSERT INTO "messages" VALUES(1,'direct','alice@onechat.localhost','Alice Tan',NULL,'bob@onechat.localhost','Lunch at 12:30?',1795600003.0);
INSERT INTO "messages" VALUES(2,'direct','bob@onechat.localhost','Bob Rahman',NULL,'alice@onechat.localhost','Yes.',1795600004.0);
INSERT INTO "messages" VALUES(3,'direct','bob@onechat.localhost','Bob Rahman',NULL,'alice@onechat.localhost','Where?',1795600005.0);
INSERT INTO "messages" VALUES(4,'group','carol@onechat.localhost','Carol Lim',NULL,'lunch-100200@muc.onechat.localhost','Who is in?',1795600006.0);
INSERT INTO "messages" VALUES(5,'alert','alerts.onechat.localhost','Lunch','app-3f9c2b7e5a10','alice@onechat.localhost','Your table is ready.',1795600007.0);
INSERT INTO "messages" VALUES(6,'alert','alerts.onechat.localhost','Lunch','app-3f9c2b7e5a10','onechat.localhost','Soup today.',1795600008.0);
INSERT INTO "messages" VALUES(7,'direct','alice@onechat.localhost','Alice Tan',NULL,'carol@onechat.localhost','On its way to an XMPP server.',1795600009.0);
CREATE TABLE passwords (
	jid VARCHAR NOT NULL, 
	digest BLOB NOT NULL, 
	PRIMARY KEY (jid), 
	FOREIGN KEY(jid) REFERENCES users (jid) ON DELETE CASCADE
);
INSERT INTO "passwords" VALUES('alice@onechat.localhost',X'10B0095754FD3F7A3DCC5E80DED8CE7D8652DF8BB3FFEF2D1F3ED4193F10515B');
CREATE TABLE positions (
	owner VARCHAR NOT NULL, 
	archive_id VARCHAR, 
	since DOUBLE NOT NULL, 
	PRIMARY KEY (owner)
);
CREATE TABLE reads (
	jid VARCHAR NOT NULL, 
	thread VARCHAR NOT NULL, 
	upto INTEGER NOT NULL, 
	PRIMARY KEY (jid, thread), 
	FOREIGN KEY(jid) REFERENCES users (jid) ON DELETE CASCADE
);
INSERT INTO "reads" VALUES('alice@onechat.localhost','bob@onechat.localhost',2);
CREATE TABLE sessions (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	handle VARCHAR NOT NULL, 
	digest BLOB NOT NULL, 
	jid VARCHAR NOT NULL, 
	app_id VARCHAR, 
	created_at DOUBLE NOT NULL, 
	expires_at DOUBLE NOT NULL, 
	revoked BOOLEAN NOT NULL, 
	FOREIGN KEY(jid) REFERENCES users (jid) ON DELETE CASCADE, 
	FOREIGN KEY(app_id) REFERENCES apps (app_id) ON DELETE CASCADE
);
INSERT INTO "sessions" VALUES(1,'s-HedGP',X'24E82AA6ABAEBA39FF8F4631032E979D55FA8C5A8E3FFB8CF62CC915A29EE254','alice@onechat.localhost','app-3f9c2b7e5a10',1795600001.0,1795686401.0,0);
CREATE TABLE stanzas (
	"key" VARCHAR NOT NULL, 
	message_id INTEGER NOT NULL, 
	stanza_id VARCHAR NOT NULL, 
	state VARCHAR NOT NULL, 
	upto VARCHAR NOT NULL, 
	PRIMARY KEY ("key"), 
	FOREIGN KEY(message_id) REFERENCES messages (id) ON DELETE CASCADE
)
 WITHOUT ROWID

;
INSERT INTO "stanzas" VALUES('67eca255f32dbdee1e8a2551f458c042d455e1db58c891a4568a528b7a1993cc',7,'d18175478372f2719fa35d53b6d33a7d','queued','');
CREATE TABLE users (
	jid VARCHAR NOT NULL, 
	name VARCHAR NOT NULL, 
	avatar VARCHAR NOT NULL, 
	admin BOOLEAN NOT NULL, 
	PRIMARY KEY (jid)
);
INSERT INTO "users" VALUES('alice@onechat.localhost','Alice Tan','data:image/svg+xml,%3Csvg xmlns=''http://www.w3.org/2000/svg'' viewBox=''0 0 64 64''%3E%3Cpath fill=''%23be185d'' d=''M0 0h64v64H0z''/%3E%3Ctext x=''32'' y=''41'' fill=''%23fff'' font-family=''system-ui%2Csans-serif'' font-size=''25'' font-weight=''600'' text-anchor=''middle''%3EAT%3C/text%3E%3C/svg%3E',0);
INSERT INTO "users" VALUES('bob@onechat.localhost','Bob Rahman','data:image/svg+xml,%3Csvg xmlns=''http://www.w3.org/2000/svg'' viewBox=''0 0 64 64''%3E%3Cpath fill=''%23b45309'' d=''M0 0h64v64H0z''/%3E%3Ctext x=''32'' y=''41'' fill=''%23fff'' font-family=''system-ui%2Csans-serif'' font-size=''25'' font-weight=''600'' text-anchor=''middle''%3EBR%3C/text%3E%3C/svg%3E',0);
INSERT INTO "users" VALUES('carol@onechat.localhost','Carol Lim','data:image/svg+xml,%3Csvg xmlns=''http://www.w3.org/2000/svg'' viewBox=''0 0 64 64''%3E%3Cpath fill=''%230e7490'' d=''M0 0h64v64H0z''/%3E%3Ctext x=''32'' y=''41'' fill=''%23fff'' font-family=''system-ui%2Csans-serif'' font-size=''25'' font-weight=''600'' text-anchor=''middle''%3ECL%3C/text%3E%3C/svg%3E',0);
INSERT INTO "users" VALUES('dave@onechat.localhost','Dave Nair','data:image/svg+xml,%3Csvg xmlns=''http://www.w3.org/2000/svg'' viewBox=''0 0 64 64''%3E%3Cpath fill=''%231d4ed8'' d=''M0 0h64v64H0z''/%3E%3Ctext x=''32'' y=''41'' fill=''%23fff'' font-family=''system-ui%2Csans-serif'' font-size=''25'' font-weight=''600'' text-anchor=''middle''%3EDN%3C/text%3E%3C/svg%3E',0);
INSERT INTO "users" VALUES('erin@onechat.localhost','Erin Goh','data:image/svg+xml,%3Csvg xmlns=''http://www.w3.org/2000/svg'' viewBox=''0 0 64 64''%3E%3Cpath fill=''%23be185d'' d=''M0 0h64v64H0z''/%3E%3Ctext x=''32'' y=''41'' fill=''%23fff'' font-family=''system-ui%2Csans-serif'' font-size=''25'' font-weight=''600'' text-anchor=''middle''%3EEG%3C/text%3E%3C/svg%3E',0);
INSERT INTO "users" VALUES('admin@onechat.localhost','Ada Wong','data:image/svg+xml,%3Csvg xmlns=''http://www.w3.org/2000/svg'' viewBox=''0 0 64 64''%3E%3Cpath fill=''%23b91c1c'' d=''M0 0h64v64H0z''/%3E%3Ctext x=''32'' y=''41'' fill=''%23fff'' font-family=''system-ui%2Csans-serif'' font-size=''25'' font-weight=''600'' text-anchor=''middle''%3EAW%3C/text%3E%3C/svg%3E',1);
INSERT INTO "users" VALUES('frida@onechat.localhost','Frida Lund','data:image/svg+xml,%3Csvg xmlns=''http://www.w3.org/2000/svg'' viewBox=''0 0 64 64''%3E%3Cpath fill=''%234d7c0f'' d=''M0 0h64v64H0z''/%3E%3Ctext x=''32'' y=''41'' fill=''%23fff'' font-family=''system-ui%2Csans-serif'' font-size=''25'' font-weight=''600'' text-anchor=''middle''%3EFL%3C/text%3E%3C/svg%3E',0);
CREATE INDEX admins_by_name ON users (name, jid) WHERE admin IS 1;
CREATE INDEX users_by_name ON users (name, jid);
CREATE INDEX ix_sessions_handle ON sessions (handle);
CREATE INDEX ix_sessions_expires_at ON sessions (expires_at);
CREATE INDEX ix_sessions_jid ON sessions (jid);
CREATE INDEX ix_members_jid ON members (jid);
CREATE INDEX deliveries_by_thread ON deliveries (jid, thread, message_id);
CREATE INDEX ix_stanzas_message_id ON stanzas (message_id);
CREATE INDEX stanzas_waiting ON stanzas (message_id) WHERE state != 'settled';
CREATE INDEX ix_heard_key ON heard ("key");
CREATE INDEX ix_heard_message_id ON heard (message_id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('sessions',1);
INSERT INTO "sqlite_sequence" VALUES('messages',7);
COMMIT;
