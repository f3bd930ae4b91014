document.addEventListener("DOMContentLoaded", function(event) {
  // retrieve an array of users from selectContacts
  // message will be sent to each of the user(s) in the array of contacts
  // recipient and textMessage are mandatory
  OC.message.single.relay({
    recipient: '["user1@domain.tld","user2@domain.tld"]',
    textMessage: 'hello friend',
    success: function() {
      // all message sent successfully
    },
    fail: function(err) {
      // Ops, handles fail accordingly
      console.log(err);
    },
  });
});
