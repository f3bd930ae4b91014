document.addEventListener("DOMContentLoaded", function(event) {
  // selectContacts({ success, maxNumberOfSelection });
  // maxNumberOfSelection (optional): 1, 2, 3..., -1 for unlimited (default)
  OC.user.selectContacts({
    success: function(selected) {
      console.log(selected);
      // 2 contacts selected
      // '["user1@domain.tld","user2@domain.tld"]'
      // or canceled
      // '[]'
      if (selected.length > 0) {
        // do things
      }
    },
    maxNumberOfSelection: 1,
  });
});
