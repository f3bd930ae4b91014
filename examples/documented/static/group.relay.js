document.addEventListener("DOMContentLoaded", function(event) {
  // retrieved a array of users from selectContacts (optional, if group is provided)
  // groupJid (optional): new group will be created with invitees as members if not defined
  // invitees (optional): array of users, will be ignored if groupJid is given
  // message will be send to the group chat
  // ONE of groupJid or invitees must be provided, textMessage is mandatory
  OC.message.group.relay({
    groupJid: 'group-jid@domain.tld',
    invitees: '["user1@domain.tld","user2@domain.tld"]',
    textMessage: 'hello group',
    success: function(newGroupJidCreated) {
      // message sent successfully
      // if groupJid wasn’t provided, a new group will be automatically created and group jid returned here, store this value to send updates to this group
    },
    fail: function(err) {
      // Ops, handles fail accordingly
      console.log(err);
    },
  });
});
